// RUN: ptoc %s -p canonicalize | filecheck %s

// What nobody uses goes; tensors, launches and stores stay. The rewrites of each dialect are tested in
// dialects/*/canonicalize.mlir.
// CHECK-LABEL: @k
tile.kernel @k (%x: in 4x8xf32, %y: out 4x8xf32) {
  // CHECK-NEXT: %a = tile.load
  %a = tile.load %x : 4x8xf32
  %unused = tile.exp %a : 4x8xf32
  %b = tile.load %x at [0, 1] : 4x7xf32
  // CHECK-NEXT: tile.store
  tile.store %a, %y
  // CHECK-NEXT: }
}
// CHECK-LABEL: @w
task.workload @w {
  // CHECK-NEXT: %t = task.tensor "t"
  // CHECK-NEXT: %kept = task.tensor "kept"
  %t = task.tensor "t" : 4x8xf32
  %kept = task.tensor "kept" : 4x8xf32
  %v = task.view %t[0, 0] [1, 8]
  // CHECK-NEXT: task.launch @k
  task.launch @k outs(%t)
  // CHECK-NEXT: }
}
