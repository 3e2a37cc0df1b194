// RUN: ptoc %s -p canonicalize | filecheck %s

// Only rewrites that keep every bit.
// CHECK-LABEL: @exact
tile.kernel @exact (%x: in 4x8xf16, %y: out 4x8xf16, %z: out 4x8xf32) {
  // CHECK-NEXT: %a = tile.load %x
  %a = tile.load %x : 4x8xf16
  %wide = tile.cast %a : 4x8xf32
  %back = tile.cast %wide : 4x8xf16
  %same = tile.cast %back : 4x8xf16
  %n = tile.neg %same : 4x8xf16
  %nn = tile.neg %n : 4x8xf16
  %one = tile.constant 1.0 : 1x1xf16
  %m = tile.mul %one, %nn : 4x8xf16
  %d = tile.div %m, %one : 4x8xf16
  %all = tile.slice %d : 4x8xf16
  // CHECK-NEXT: tile.store %a, %y at [0, 0]
  tile.store %all, %y
  // x + 0 is not x for -0.0, and narrowing rounds.
  // CHECK-NEXT: %zero = tile.constant 0.0
  %zero = tile.constant 0.0 : 1x1xf32
  // CHECK-NEXT: %w = tile.load
  %w = tile.load %z : 4x8xf32
  // CHECK-NEXT: tile.add
  %p = tile.add %w, %zero : 4x8xf32
  // CHECK-NEXT: tile.cast {{.*}} : 4x8xf16
  %narrow = tile.cast %p : 4x8xf16
  // CHECK-NEXT: tile.cast {{.*}} : 4x8xf32
  %again = tile.cast %narrow : 4x8xf32
  // CHECK-NEXT: tile.store
  tile.store %again, %z
}
// bf16 does not hold f16, and f32 not i32.
// CHECK-LABEL: @other_casts
tile.kernel @other_casts (%x: in 4x8xf16, %i: in 4x8xi32, %y: out 4x8xbf16, %j: out 4x8xi32) {
  %a = tile.load %x : 4x8xf16
  // CHECK: tile.cast {{.*}} : 4x8xf32
  // CHECK: tile.cast {{.*}} : 4x8xbf16
  %wide = tile.cast %a : 4x8xf32
  %other = tile.cast %wide : 4x8xbf16
  tile.store %other, %y
  %b = tile.load %i : 4x8xi32
  // CHECK: tile.cast {{.*}} : 4x8xf32
  // CHECK: tile.cast {{.*}} : 4x8xi32
  %float = tile.cast %b : 4x8xf32
  %int = tile.cast %float : 4x8xi32
  tile.store %int, %j
}
// CHECK-LABEL: @one_is_wider
// CHECK: tile.mul
tile.kernel @one_is_wider (%x: in 1x8xf16, %y: out 4x8xf32) {
  %a = tile.load %x : 1x8xf16
  %one = tile.constant 1.0 : 4x1xf32
  %m = tile.mul %a, %one : 4x8xf32
  tile.store %m, %y
}
// CHECK-LABEL: @slices
tile.kernel @slices (%x: in 4x32xf32, %y: inout 4x8xf32) {
  // CHECK-NEXT: %s = tile.load %x at [0, 8] : 4x8xf32
  // CHECK-NEXT: %t = tile.load %x at [2, 16] : 2x8xf32
  %a = tile.load %x at [0, 8] : 4x16xf32
  %s = tile.slice %a at [0, 0] : 4x8xf32
  // CHECK-NEXT: tile.store %s, %y
  tile.store %s, %y
  %t = tile.slice %a at [2, 8] : 2x8xf32
  // CHECK-NEXT: tile.store %t, %y
  tile.store %t, %y
  // Overlapping slices would load more than the whole.
  // CHECK-NEXT: tile.load %x at [0, 0] : 4x16xf32
  %b = tile.load %x : 4x16xf32
  // CHECK-NEXT: tile.slice
  %u = tile.slice %b : 4x12xf32
  // CHECK-NEXT: tile.slice
  %v = tile.slice %b at [0, 4] : 4x12xf32
  // CHECK-NEXT: tile.add
  %w = tile.add %u, %v : 4x12xf32
  %q = tile.slice %w : 4x8xf32
  // CHECK: tile.store
  tile.store %q, %y
}
// A matmul reads what is transposed as it lies; other shapes of other shapes are one.
// CHECK-LABEL: @transposed
tile.kernel @transposed (%x: in 8x4xf32, %y: out 4x4xf32, %z: out 2x16xf32) {
  // CHECK-NEXT: %a = tile.load
  %a = tile.load %x : 8x4xf32
  %t = tile.transpose %a : 4x8xf32
  // CHECK-NEXT: tile.matmul %a, %a transpose_a : 4x4xf32
  %m = tile.matmul %t, %a : 4x4xf32
  // CHECK-NEXT: tile.store
  tile.store %m, %y
  %back = tile.transpose %t : 8x4xf32
  %long = tile.reshape %back : 1x32xf32
  %there = tile.reshape %long : 8x4xf32
  // CHECK-NEXT: tile.reshape %a : 2x16xf32
  %two = tile.reshape %there : 2x16xf32
  // CHECK-NEXT: tile.store
  tile.store %two, %z
}
// CHECK-LABEL: @twice
tile.kernel @twice (%x: in 8x4xf32, %y: out 4x4xf32) {
  %a = tile.load %x : 8x4xf32
  %t = tile.transpose %a : 4x8xf32
  %b = tile.transpose %t : 8x4xf32
  // CHECK: tile.matmul %a, %a transpose_a : 4x4xf32
  %m = tile.matmul %b, %b transpose_a : 4x4xf32
  tile.store %m, %y
}
