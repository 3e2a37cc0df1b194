// RUN: ptoc %s -p tile-fuse | filecheck %s

// CHECK-LABEL: @softmax
tile.kernel @softmax (%x: in 4x8xf16, %y: out 4x8xf16) {
  // CHECK-NEXT: %h = tile.load
  %h = tile.load %x : 4x8xf16
  %low = tile.constant -inf : 1x1xf32
  %two = tile.constant 2.0 : 1x1xf32
  %row = tile.iota axis(0) : 4x8xi32
  %col = tile.iota axis(1) : 4x8xi32
  // A chain is one loop; constants and iotas are made inside, so two loops may have the same.
  // CHECK-NEXT: %s = tile.fused {
  // CHECK-NEXT:   %v = tile.cast %h : 4x8xf32
  // CHECK-NEXT:   %row = tile.iota axis(0) : 4x8xi32
  // CHECK-NEXT:   %col = tile.iota axis(1) : 4x8xi32
  // CHECK-NEXT:   %m = tile.compare ge, %row, %col : 4x8xi1
  // CHECK-NEXT:   %low = tile.constant -inf : 1x1xf32
  // CHECK-NEXT:   %s_1 = tile.select %m, %v, %low : 4x8xf32
  // CHECK-NEXT:   tile.yield %s_1
  // CHECK-NEXT: } : 4x8xf32
  %v = tile.cast %h : 4x8xf32
  %m = tile.compare ge, %row, %col : 4x8xi1
  %s = tile.select %m, %v, %low : 4x8xf32
  // CHECK-NEXT: %t = tile.rowmax %s : 4x1xf32
  %t = tile.rowmax %s : 4x1xf32
  // One column is computed once per row, so it joins the loop.
  // CHECK-NEXT: %e = tile.fused {
  // CHECK-NEXT:   %two = tile.constant 2.0 : 1x1xf32
  // CHECK-NEXT:   %u = tile.mul %t, %two : 4x1xf32
  // CHECK-NEXT:   %d = tile.sub %s, %u : 4x8xf32
  // CHECK-NEXT:   %e_1 = tile.exp %d : 4x8xf32
  // CHECK-NEXT:   tile.yield %e_1
  // CHECK-NEXT: } : 4x8xf32
  %u = tile.mul %t, %two : 4x1xf32
  %d = tile.sub %s, %u : 4x8xf32
  %e = tile.exp %d : 4x8xf32
  // Used by two loops: a value of its own.
  // CHECK-NEXT: %r = tile.rowsum %e : 4x1xf32
  %r = tile.rowsum %e : 4x1xf32
  // CHECK-NEXT: %o = tile.fused {
  // CHECK:      } : 4x8xf16
  %q = tile.div %e, %r : 4x8xf32
  %o = tile.cast %q : 4x8xf16
  // CHECK-NEXT: tile.store %o, %y
  tile.store %o, %y
}

// CHECK-LABEL: @apart
tile.kernel @apart (%x: in 1x8xf32, %w: in 4x8xf32, %y: out 4x8xf32, %z: out 4x8xf32) {
  %a = tile.load %x : 1x8xf32
  %b = tile.load %w : 4x8xf32
  // A row would be computed again for every row of the loop.
  // CHECK: %e = tile.exp %a : 1x8xf32
  %e = tile.exp %a : 1x8xf32
  // CHECK-NEXT: %p = tile.mul %e, %b : 4x8xf32
  %p = tile.mul %e, %b : 4x8xf32
  // CHECK-NEXT: tile.store %p, %y
  tile.store %p, %y
  // CHECK-NEXT: %n = tile.fused {
  // CHECK-NEXT:   %c = tile.constant 3.0 : 1x1xf32
  // CHECK-NEXT:   %n_1 = tile.add %p, %c : 4x8xf32
  // CHECK-NEXT:   tile.yield %n_1
  // CHECK-NEXT: } : 4x8xf32
  %c = tile.constant 3.0 : 1x1xf32
  %n = tile.add %p, %c : 4x8xf32
  tile.store %n, %z
}
