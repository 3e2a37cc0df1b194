// RUN: ptoc %s -p tile-place | filecheck %s

// CHECK-LABEL: @k
tile.kernel @k (%x: in 8x8xf32, %w: in 8x8xf32, %c0: in 8x8xf32, %y: out 8x8xf32) {
  // Only matmuls read it.
  // CHECK-NEXT: tile.load %x at [0, 0] : 8x8xf32 in l1
  %a = tile.load %x : 8x8xf32
  // The vector unit reads it, too.
  // CHECK-NEXT: tile.load %w at [0, 0] : 8x8xf32 in ub
  %b = tile.load %w : 8x8xf32
  // An accumulator is no operand that the cube unit streams.
  // CHECK-NEXT: tile.load %c0 at [0, 0] : 8x8xf32 in ub
  %first = tile.load %c0 : 8x8xf32
  // CHECK-NEXT: tile.matmul %a, %b acc(%first) : 8x8xf32 in l0c
  %c = tile.matmul %a, %b acc(%first) : 8x8xf32
  // CHECK-NEXT: tile.matmul %b, %a acc(%c) : 8x8xf32 in l0c
  %d = tile.matmul %b, %a acc(%c) : 8x8xf32
  // CHECK-NEXT: tile.fused
  %e = tile.fused {
    // CHECK-NEXT: tile.mul %d, %b : 8x8xf32{{$}}
    %f = tile.mul %d, %b : 8x8xf32
    // CHECK-NEXT: tile.yield
    tile.yield %f
  // CHECK-NEXT: } : 8x8xf32 in ub
  } : 8x8xf32
  // CHECK-NEXT: tile.topk %e k(2) : 8x2xf32 in ub
  %v, %i = tile.topk %e k(2) : 8x2xf32
  tile.store %e, %y
}
