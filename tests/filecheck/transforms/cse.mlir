// RUN: ptoc %s -p cse | filecheck %s

// CHECK-LABEL: @k
tile.kernel @k (%x: in 4x8xf32, %y: inout 4x8xf32) {
  // CHECK-NEXT: %a = tile.load %x
  %a = tile.load %x : 4x8xf32
  %b = tile.load %x : 4x8xf32
  // CHECK-NEXT: %e = tile.exp %a
  %e = tile.exp %a : 4x8xf32
  %f = tile.exp %b : 4x8xf32
  // CHECK-NEXT: %s = tile.add %e, %e
  %s = tile.add %e, %f : 4x8xf32
  // CHECK-NEXT: %c = tile.load %y
  %c = tile.load %y : 4x8xf32
  // CHECK-NEXT: tile.store %s, %y
  tile.store %s, %y
  // A store lies between: not the same values.
  // CHECK-NEXT: %d = tile.load %y
  %d = tile.load %y : 4x8xf32
  %g = tile.sub %c, %d : 4x8xf32
  tile.store %g, %y
}
// CHECK-LABEL: @w
task.workload @w {
  %t = task.tensor "t" : 8x8xf32
  // CHECK: task.parallel (%i) in (8) {
  task.parallel (%i) in (8) {
    // CHECK-NEXT: %v = task.view
    %v = task.view %t[%i, 0] [1, 8]
    task.launch @k ins(%v)
    // CHECK:      task.parallel (%j) in (2) {
    task.parallel (%j) in (2) {
      %w = task.view %t[%i, 0] [1, 8]
      // CHECK-NEXT: task.launch @k ins(%v)
      // CHECK-NEXT: task.launch @k ins(%v)
      task.launch @k ins(%w)
      task.launch @k ins(%w)
    }
  }
}
