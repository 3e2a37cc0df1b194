// RUN: ptoc %s -p tile-fragments | filecheck %s

// m x k x n for a matmul, rows x 1 x columns for all else; bytes only where memory is touched.
// CHECK:      tile.kernel @k (%x: in 4x64xf16, %w: in 64x32xf16, %y: out 4x32xf16) fragments [
// CHECK-NEXT:   <load, 4x1x64, f16, 512, load, 1 of 0>,
// CHECK-NEXT:   <load, 64x1x32, f16, 4096, load, 1 of 1>,
// CHECK-NEXT:   <matmul, 4x64x32, f16, 0, cube, 1>,
// CHECK-NEXT:   <iota, 4x1x32, i32, 0, vector, 1>,
// CHECK-NEXT:   <compare, 4x1x32, i32, 0, vector, 1>,
// CHECK-NEXT:   <select, 4x1x32, f32, 0, vector, 1>,
// CHECK-NEXT:   <rowmax, 4x1x32, f32, 0, vector, 1>,
// CHECK-NEXT:   <slice, 4x1x16, f32, 0, vector, 1>,
// CHECK-NEXT:   <topk, 4x1x16, f32, 0, vector, 1>,
// CHECK-NEXT:   <cast, 4x1x32, f32, 0, vector, 1>,
// CHECK-NEXT:   <store, 4x1x32, f16, 256, store, 1 of 2>] {
tile.kernel @k (%x: in 4x64xf16, %w: in 64x32xf16, %y: out 4x32xf16) {
  %a = tile.load %x : 4x64xf16
  %b = tile.load %w : 64x32xf16
  %c = tile.matmul %a, %b : 4x32xf32
  // Inside a loop the ops count one by one; a constant is an immediate.
  %s = tile.fused {
    %i = tile.iota axis(1) : 4x32xi32
    %n = tile.constant 3 : 1x1xi32
    %m = tile.compare lt, %i, %n : 4x32xi1
    %z = tile.constant 0.0 : 1x1xf32
    %t = tile.select %m, %c, %z : 4x32xf32
    tile.yield %t
  } : 4x32xf32
  %r = tile.rowmax %s : 4x1xf32
  // Every second column is copied; a box is an address.
  %e = tile.slice %s step [1, 2] : 4x16xf32
  %f = tile.slice %s at [0, 16] : 4x16xf32
  %v, %j = tile.topk %f k(2) : 4x2xf32
  %h = tile.cast %s : 4x32xf16
  tile.store %h, %y
}
// In loops whose length the kernel's numbers decide, by their numbers; trips of others multiply.
// CHECK:      tile.kernel @lengths {{.*}} fragments [
// CHECK-NEXT:   <load, 8x1x16, f32, 512, load, 1 of 0 in [0]>,
// CHECK-NEXT:   <add, 8x1x16, f32, 0, vector, 5 in [0, 1]>,
// CHECK-NEXT:   <exp, 8x1x16, f32, 0, vector, 1 in [2]>,
// CHECK-NEXT:   <store, 8x1x16, f32, 512, store, 1 of 1>] {
tile.kernel @lengths (%x: in 64x16xf32, %y: out 8x16xf32, %n: number 0 to 8) {
  %zero = tile.constant 0.0 : 8x16xf32
  %r = tile.for %k in 0 to [%n] step 1 carry(%a = %zero) {
    %c = tile.load %x at [%k * 8, 0] : 8x16xf32
    %s = tile.for %j in 0 to 5 step 1 carry(%b = %a) {
      %t = tile.for %i in 0 to [%n + 1] step 1 carry(%d = %b) {
        %e = tile.add %d, %c : 8x16xf32
        tile.yield %e
      }
      tile.yield %t
    }
    tile.yield %s
  }
  %u = tile.for %k in 2 to [%n] step 2 carry(%a = %r) {
    %f = tile.exp %a : 8x16xf32
    tile.yield %f
  }
  tile.store %u, %y
}
// What a loop runs has its trips; another shape is an address.
// CHECK:      tile.kernel @loop {{.*}} fragments [
// CHECK-NEXT:   <load, 8x1x16, f32, 512, load, 24 of 0>,
// CHECK-NEXT:   <add, 8x1x16, f32, 0, vector, 24>,
// CHECK-NEXT:   <cumsum, 8x1x16, f32, 0, vector, 1>,
// CHECK-NEXT:   <cumsum_down, 8x1x16, f32, 0, vector, 1>,
// CHECK-NEXT:   <sort, 8x1x16, f32, 0, vector, 1>,
// CHECK-NEXT:   <colsum, 8x1x16, f32, 0, vector, 1>,
// CHECK-NEXT:   <store, 1x1x16, f32, 64, store, 1 of 1>] {
tile.kernel @loop (%x: in 64x16xf32, %y: out 1x16xf32) {
  %zero = tile.constant 0.0 : 8x16xf32
  %r = tile.for %k in 0 to 8 step 1 carry(%a = %zero) {
    %s = tile.for %j in 0 to 3 step 1 carry(%b = %a) {
      %c = tile.load %x at [%k * 8, 0] : 8x16xf32
      %d = tile.add %b, %c : 8x16xf32
      tile.yield %d
    }
    tile.yield %s
  }
  %t = tile.reshape %r : 16x8xf32
  %u = tile.reshape %t : 8x16xf32
  %v = tile.cumsum %u axis(1) : 8x16xf32
  %w = tile.cumsum %v axis(0) : 8x16xf32
  %p, %q = tile.sort %w : 8x16xf32
  %z = tile.colsum %p : 1x16xf32
  tile.store %z, %y
}
