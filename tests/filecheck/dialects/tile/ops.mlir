// RUN: ROUNDTRIP
// RUN: ptoc %s -p '' --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK:      builtin.module {
// CHECK-NEXT:   tile.kernel @all unit(cube) (%x: in 1x64xf16, %w: in 64x32xf16, %acc: in 1x32xf32, %y: out 1x32xf16, %z: inout 1x32xf32) {
tile.kernel @all unit(cube) (%x: in 1x64xf16, %w: in 64x32xf16, %acc: in 1x32xf32, %y: out 1x32xf16, %z: inout 1x32xf32) {
  // CHECK-NEXT: %a = tile.load %x at [0, 0] : 1x64xf16
  %a = tile.load %x : 1x64xf16
  // CHECK-NEXT: %b = tile.load %w at [0, 0] : 64x32xf16 in l1
  %b = tile.load %w at [0, 0] : 64x32xf16 in l1
  // CHECK-NEXT: %c = tile.load %acc at [0, 16] : 1x16xf32
  %c = tile.load %acc at [0, 16] : 1x16xf32
  // CHECK-NEXT: %m = tile.matmul %a, %b : 1x32xf32 in l0c
  %m = tile.matmul %a, %b : 1x32xf32 in l0c
  // CHECK-NEXT: %n = tile.matmul %a, %b acc(%m) : 1x32xf32
  %n = tile.matmul %a, %b acc(%m) : 1x32xf32
  // CHECK-NEXT: %t = tile.matmul %b, %a transpose_a transpose_b : 32x1xf32
  %t = tile.matmul %b, %a transpose_a transpose_b : 32x1xf32
  // CHECK-NEXT: %low = tile.constant -inf : 1x1xf32
  %low = tile.constant -inf : 1x1xf32
  // CHECK-NEXT: %small = tile.constant 1.0e-06 : 1x1xf32
  %small = tile.constant 1.0e-06 : 1x1xf32
  // CHECK-NEXT: %half = tile.constant 0.1 : 1x1xf16
  %half = tile.constant 0.1 : 1x1xf16
  // CHECK-NEXT: %minus = tile.constant -0.0 : 1x1xbf16
  %minus = tile.constant -0.0 : 1x1xbf16
  // CHECK-NEXT: %zero = tile.constant -7 : 1x1xi64
  %zero = tile.constant -7 : 1x1xi64
  // CHECK-NEXT: %true = tile.constant 1 : 1x1xi1
  %true = tile.constant 1 : 1x1xi1
  // CHECK-NEXT: %col = tile.iota axis(1) : 1x32xi32
  %col = tile.iota axis(1) : 1x32xi32
  // CHECK-NEXT: %neg = tile.neg %m : 1x32xf32
  %neg = tile.neg %m : 1x32xf32
  // CHECK-NEXT: %exp = tile.exp %neg : 1x32xf32
  %exp = tile.exp %neg : 1x32xf32
  // CHECK-NEXT: %sqrt = tile.sqrt %exp : 1x32xf32
  %sqrt = tile.sqrt %exp : 1x32xf32
  // CHECK-NEXT: %rsqrt = tile.rsqrt %exp : 1x32xf32
  %rsqrt = tile.rsqrt %exp : 1x32xf32
  // CHECK-NEXT: %sigmoid = tile.sigmoid %exp : 1x32xf32
  %sigmoid = tile.sigmoid %exp : 1x32xf32
  // CHECK-NEXT: %abs = tile.abs %exp : 1x32xf32
  %abs = tile.abs %exp : 1x32xf32
  // CHECK-NEXT: %relu = tile.relu %exp : 1x32xf32
  %relu = tile.relu %exp : 1x32xf32
  // CHECK-NEXT: %log = tile.log %exp : 1x32xf32
  %log = tile.log %exp : 1x32xf32
  // CHECK-NEXT: %tanh = tile.tanh %exp : 1x32xf32
  %tanh = tile.tanh %exp : 1x32xf32
  // CHECK-NEXT: %sin = tile.sin %exp : 1x32xf32
  %sin = tile.sin %exp : 1x32xf32
  // CHECK-NEXT: %cos = tile.cos %exp : 1x32xf32
  %cos = tile.cos %exp : 1x32xf32
  // CHECK-NEXT: %erf = tile.erf %exp : 1x32xf32
  %erf = tile.erf %exp : 1x32xf32
  // CHECK-NEXT: %add = tile.add %t, %m : 32x32xf32
  %add = tile.add %t, %m : 32x32xf32
  // CHECK-NEXT: %sub = tile.sub %m, %half : 1x32xf32
  %sub = tile.sub %m, %half : 1x32xf32
  // CHECK-NEXT: %mul = tile.mul %sub, %small : 1x32xf32
  %mul = tile.mul %sub, %small : 1x32xf32
  // CHECK-NEXT: %maximum = tile.maximum %sub, %mul : 1x32xf32
  %maximum = tile.maximum %sub, %mul : 1x32xf32
  // CHECK-NEXT: %minimum = tile.minimum %sub, %mul : 1x32xf32
  %minimum = tile.minimum %sub, %mul : 1x32xf32
  // CHECK-NEXT: %pow = tile.pow %sub, %mul : 1x32xf32
  %pow = tile.pow %sub, %mul : 1x32xf32
  // CHECK-NEXT: %div = tile.div %mul, %n : 1x32xf32
  %div = tile.div %mul, %n : 1x32xf32
  // CHECK-NEXT: %mask = tile.compare ge, %div, %low : 1x32xi1
  %mask = tile.compare ge, %div, %low : 1x32xi1
  // CHECK-NEXT: %sel = tile.select %mask, %div, %low : 1x32xf32
  %sel = tile.select %mask, %div, %low : 1x32xf32
  // CHECK-NEXT: %sum = tile.rowsum %sel : 1x1xf32
  %sum = tile.rowsum %sel : 1x1xf32
  // CHECK-NEXT: %max = tile.rowmax %sel : 1x1xf32
  %max = tile.rowmax %sel : 1x1xf32
  // CHECK-NEXT: %odd = tile.slice %sel at [0, 1] step [1, 2] : 1x16xf32
  %odd = tile.slice %sel at [0, 1] step [1, 2] : 1x16xf32
  // CHECK-NEXT: %part = tile.slice %sel at [0, 16] : 1x16xf32
  %part = tile.slice %sel at [0, 16] : 1x16xf32
  // CHECK-NEXT: %pairs = tile.interleave %odd, %part : 1x32xf32
  %pairs = tile.interleave %odd, %part : 1x32xf32
  // CHECK-NEXT: %both = tile.concat %odd, %part : 1x32xf32
  %both = tile.concat %odd, %part : 1x32xf32
  // CHECK-NEXT: %values, %indices = tile.topk %both k(8) : 1x8xf32 in ub
  %values, %indices = tile.topk %both k(8) : 1x8xf32 in ub
  // CHECK-NEXT: %picked = tile.gather %both, %indices : 1x8xf32
  %picked = tile.gather %both, %indices : 1x8xf32
  // CHECK-NEXT: %fused = tile.fused {
  // CHECK-NEXT:   %0 = tile.mul %pairs, %sum : 1x32xf32
  // CHECK-NEXT:   %1 = tile.exp %0 : 1x32xf32
  // CHECK-NEXT:   tile.yield %1
  // CHECK-NEXT: } : 1x32xf32 in ub
  %fused = tile.fused {
    %0 = tile.mul %pairs, %sum : 1x32xf32
    %1 = tile.exp %0 : 1x32xf32
    tile.yield %1
  } : 1x32xf32 in ub
  // CHECK-NEXT: %h = tile.cast %fused : 1x32xf16
  %h = tile.cast %fused : 1x32xf16
  // CHECK-NEXT: tile.store %h, %y at [0, 0]
  tile.store %h, %y
  // CHECK-NEXT: tile.store %both, %z at [0, 0] attributes {note = "kept"}
  tile.store %both, %z at [0, 0] attributes {note = "kept"}
}

// CHECK:      tile.kernel @shapes (%x: in 8x16xf32, %n: in 4x1xi32, %y: inout 8x16xf32, %z: inout 16x1xi32) {
tile.kernel @shapes (%x: in 8x16xf32, %n: in 4x1xi32, %y: inout 8x16xf32, %z: inout 16x1xi32) {
  // CHECK-NEXT: %a = tile.load %x at [0, 0] : 8x16xf32
  %a = tile.load %x : 8x16xf32
  // CHECK-NEXT: %i = tile.load %n at [0, 0] : 4x1xi32
  %i = tile.load %n : 4x1xi32
  // CHECK-NEXT: %rows = tile.load %x at [0, 4] rows(%i) : 4x8xf32
  %rows = tile.load %x at [0, 4] rows(%i) : 4x8xf32
  // CHECK-NEXT: tile.store %rows, %y at [0, 0] rows(%i)
  tile.store %rows, %y rows(%i)
  // CHECK-NEXT: %min = tile.rowmin %a : 8x1xf32
  %min = tile.rowmin %a : 8x1xf32
  // CHECK-NEXT: %csum = tile.colsum %a : 1x16xf32
  %csum = tile.colsum %a : 1x16xf32
  // CHECK-NEXT: %cmax = tile.colmax %a : 1x16xf32
  %cmax = tile.colmax %a : 1x16xf32
  // CHECK-NEXT: %cmin = tile.colmin %a : 1x16xf32
  %cmin = tile.colmin %a : 1x16xf32
  // CHECK-NEXT: %where = tile.argmax %a : 8x1xi32
  %where = tile.argmax %a : 8x1xi32
  // CHECK-NEXT: %sums = tile.cumsum %a axis(0) : 8x16xf32
  %sums = tile.cumsum %a axis(0) : 8x16xf32
  // CHECK-NEXT: %up, %order = tile.sort %a : 8x16xf32
  %up, %order = tile.sort %a : 8x16xf32
  // CHECK-NEXT: %down, %places = tile.sort %a descending : 8x16xf32 in ub
  %down, %places = tile.sort %a descending : 8x16xf32 in ub
  // CHECK-NEXT: %turned = tile.transpose %a : 16x8xf32
  %turned = tile.transpose %a : 16x8xf32
  // CHECK-NEXT: %long = tile.reshape %a : 1x128xf32
  %long = tile.reshape %a : 1x128xf32
  // CHECK-NEXT: %wide = tile.broadcast %min : 8x16xf32
  %wide = tile.broadcast %min : 8x16xf32
  // CHECK-NEXT: %picked = tile.gather_rows %a, %i : 4x16xf32
  %picked = tile.gather_rows %a, %i : 4x16xf32
}

// CHECK:      tile.kernel @loop (%x: in 64x16xf32, %y: out 8x16xf32) {
tile.kernel @loop (%x: in 64x16xf32, %y: out 8x16xf32) {
  // CHECK-NEXT: %zero = tile.constant 0.0 : 8x16xf32
  %zero = tile.constant 0.0 : 8x16xf32
  // CHECK-NEXT: %sum, %last = tile.for %k in 0 to 8 step 2 carry(%acc = %zero, %old = %zero) {
  // CHECK-NEXT:   %a = tile.load %x at [%k * 8, 0] : 8x16xf32
  // CHECK-NEXT:   %b = tile.add %acc, %a : 8x16xf32
  // CHECK-NEXT:   tile.yield %b, %a
  // CHECK-NEXT: }
  %sum, %last = tile.for %k in 0 to 8 step 2 carry(%acc = %zero, %old = %zero) {
    %a = tile.load %x at [%k * 8, 0] : 8x16xf32
    %b = tile.add %acc, %a : 8x16xf32
    tile.yield %b, %a
  }
  // CHECK-NEXT: tile.for %j in 0 to 2 step 1 {
  // CHECK-NEXT:   %n = tile.number [%j * 8 + 1] : 1x1xi32
  // CHECK-NEXT:   tile.debug "n of a run", %n
  // CHECK-NEXT:   tile.store %sum, %y at [0, 0]
  // CHECK-NEXT:   tile.yield
  // CHECK-NEXT: }
  tile.for %j in 0 to 2 step 1 {
    %n = tile.number [%j * 8 + 1] : 1x1xi32
    tile.debug "n of a run", %n
    tile.store %sum, %y
    tile.yield
  }
}

// CHECK:      tile.kernel @lengths (%x: in 64x16xf32, %y: inout 8x16xf32, %n: number 0 to 8, %at: number -4 to 16) {
tile.kernel @lengths (%x: in 64x16xf32, %y: inout 8x16xf32, %n: number 0 to 8, %at: number -4 to 16) {
  // CHECK-NEXT: tile.for %k in 0 to [%n] step 1 {
  // CHECK-NEXT:   tile.for %j in -2 to [%n * 2 + %at] step 4 {
  // CHECK-NEXT:     %a = tile.load %x at [%k * 8, 0] : 8x16xf32
  // CHECK-NEXT:     %m = tile.number [%k + %at] : 1x1xi32
  // CHECK-NEXT:     tile.store %a, %y at [%j, %at]
  // CHECK-NEXT:     tile.yield
  // CHECK-NEXT:   }
  // CHECK-NEXT:   tile.yield
  // CHECK-NEXT: }
  tile.for %k in 0 to [%n] step 1 {
    tile.for %j in -2 to [%n * 2 + %at] step 4 {
      %a = tile.load %x at [%k * 8, 0] : 8x16xf32
      %m = tile.number [%k + %at] : 1x1xi32
      tile.store %a, %y at [%j, %at]
      tile.yield
    }
    tile.yield
  }
}

// CHECK:      tile.kernel @dtypes (%x: in 4x8xf8E4M3FN, %w: in 8x4xf8E4M3FN, %i: in 4x8xui8, %y: out 4x4xf64) {
tile.kernel @dtypes (%x: in 4x8xf8E4M3FN, %w: in 8x4xf8E4M3FN, %i: in 4x8xui8, %y: out 4x4xf64) {
  // CHECK-NEXT: %a = tile.load %x at [0, 0] : 4x8xf8E4M3FN
  %a = tile.load %x : 4x8xf8E4M3FN
  // CHECK-NEXT: %b = tile.load %w at [0, 0] : 8x4xf8E4M3FN
  %b = tile.load %w : 8x4xf8E4M3FN
  // CHECK-NEXT: %c = tile.matmul %a, %b : 4x4xf32
  %c = tile.matmul %a, %b : 4x4xf32
  // CHECK-NEXT: %u = tile.load %i at [0, 0] : 4x8xui8
  %u = tile.load %i : 4x8xui8
  // CHECK-NEXT: %most = tile.constant 255 : 1x1xui8
  %most = tile.constant 255 : 1x1xui8
  // CHECK-NEXT: %v = tile.minimum %u, %most : 4x8xui8
  %v = tile.minimum %u, %most : 4x8xui8
  // CHECK-NEXT: %s = tile.matmul %v, %v transpose_b : 4x4xi32
  %s = tile.matmul %v, %v transpose_b : 4x4xi32
  // CHECK-NEXT: %third = tile.constant 0.3333333333333333 : 4x4xf64
  %third = tile.constant 0.3333333333333333 : 4x4xf64
  // CHECK-NEXT: tile.store %third, %y at [0, 0]
  tile.store %third, %y
}

// CHECK:      tile.kernel @timed (%y: out 4x4xf32) fragments [
// CHECK-NEXT:   <matmul, 4x8x4, f16, 0, cube, 1>,
// CHECK-NEXT:   <store, 4x1x4, f32, 64, store, 1 of 0>] {
tile.kernel @timed (%y: out 4x4xf32) fragments [<matmul, 4x8x4, f16, 0, cube, 1>, <store, 4x1x4, f32, 64, store, 1 of 0>] {
}

// CHECK:      tile.kernel @given unit(vector) cost("2.5us") (%x: in 1x4xf32, %y: out 1x4xf32) cpp("for (int i = 0; i < 4; ++i) {\0A  y[i] = x[i];\0A}") {
// CHECK-NEXT: }
tile.kernel @given unit(vector) cost("2.5us") (%x: in 1x4xf32, %y: out 1x4xf32) cpp("for (int i = 0; i < 4; ++i) {\n  y[i] = x[i];\n}") {
}

// GENERIC: "tile.kernel"() <{sym_name = "all", names = ["x", "w", "acc", "y", "z"], roles = [#tile<role in>
// GENERIC: "tile.load"(%acc) <{offsets = affine_map<() -> (0, 16)>, operandSegmentSizes = array<i32: 1, 0, 0>}> : (!tile.ref<1x32xf32>) -> !tile.tile<1x16xf32>
// GENERIC: "tile.compare"(%div, %low) <{predicate = #tile<predicate ge>}>
// GENERIC: fragments = [#tile.fragment<matmul, 4x8x4, f16, 0, cube, 1>
