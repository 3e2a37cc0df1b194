// RUN: INVALID

// expected-error @+1 {{a tile has two extents of at least 1, got 0x4}}
tile.kernel @k (%x: in 0x4xf32) {}

// -----

// expected-error @+1 {{a tile has two extents of at least 1, got 4}}
tile.kernel @k (%x: in 4xf32) {}

// -----

// expected-error @+1 {{element type must be one of i1, i8, i16, i32, i64, ui8, ui16, ui32, ui64, f8E4M3FN, f8E5M2, f16, bf16, f32, f64, got i4}}
tile.kernel @k (%x: in 4x4xi4) {}

// -----

// expected-error @+1 {{@k writes nothing: a parameter is out or inout}}
tile.kernel @k (%x: in 4x4xf32) {}

// -----

// expected-error @+1 {{a kernel whose body is C++ needs a cost: nobody can see its ops}}
tile.kernel @k (%y: out 4x4xf32) cpp("y[0] = 1;") {}

// -----

// expected-error @+1 {{a kernel whose body is C++ has no ops}}
tile.kernel @k cost("1") (%y: out 1x1xf32) cpp("y[0] = 1;") {
  %a = tile.constant 0.0 : 1x1xf32
}

// -----

// expected-error @+1 {{cost: expected cycles, a whole number from 1 on, or a time such as 2.5us, 800ns or 3ms, found '2 weeks'}}
tile.kernel @k cost("2 weeks") (%y: out 4x4xf32) {}

// -----

tile.kernel @k (%y: out 4x4xf32) {}
// expected-error @+1 {{two definitions of @k; the first is at}}
tile.kernel @k (%y: out 4x4xf32) {}

// -----

tile.kernel @memory (%x: in 4x8xf16, %i: in 4x8xi32, %y: out 4x8xf16) {
  // expected-error @+1 {{a load keeps the dtype f16, declared as 4x8xf32; use tile.cast}}
  %a = tile.load %x : 4x8xf32
  // expected-error @+1 {{a box of 4x4 at [0, 5] does not lie in 4x8}}
  %b = tile.load %x at [0, 5] : 4x4xf16
  // expected-error @+1 {{a box of 4x4 at [0, -1] does not lie in 4x8}}
  %c = tile.load %x at [0, -1] : 4x4xf16
  // expected-error @+1 {{a box has two offsets, got 1}}
  %d = tile.load %x at [0] : 4x4xf16
  %e = tile.load %x : 4x8xf16
  // expected-error @+1 {{the parameter is `in`: only `out` and `inout` can be stored to}}
  tile.store %e, %x
  %f = tile.load %i : 4x8xi32
  // expected-error @+1 {{a store rounds floats of up to 32 bits only: 4x8xi32 does not go into 4x8xf16}}
  tile.store %f, %y
  // expected-error @+1 {{a box of 4x8 at [1, 0] does not lie in 4x8}}
  tile.store %e, %y at [1, 0]
}

// -----

tile.kernel @elements (%x: in 4x8xf16, %i: in 4x8xi32, %y: out 4x8xf16) {
  %a = tile.load %x : 4x8xf16
  %i0 = tile.load %i : 4x8xi32
  %p = tile.load %x at [0, 0] : 2x8xf16
  // expected-error @+1 {{extents do not broadcast: 4x8 and 2x8}}
  %0 = tile.add %a, %p : 4x8xf16
  // expected-error @+1 {{no common dtype for f16 and i32}}
  %1 = tile.add %a, %i0 : 4x8xf16
  // expected-error @+1 {{the result is 4x8xf16, declared as 4x8xf32}}
  %2 = tile.add %a, %a : 4x8xf32
  // expected-error @+1 {{not defined for i32}}
  %3 = tile.exp %i0 : 4x8xi32
  // expected-error @+1 {{not defined for i32}}
  %4 = tile.div %i0, %i0 : 4x8xi32
  // expected-error @+1 {{the first operand is a mask of i1, got 4x8xf16}}
  %5 = tile.select %a, %a, %a : 4x8xf16
  // expected-error @+1 {{the result is 4x8xi1, declared as 4x8xf16}}
  %6 = tile.compare lt, %a, %a : 4x8xf16
  // expected-error @+1 {{axis must be 0 or 1, got 2}}
  %7 = tile.iota axis(2) : 4x8xi32
  // expected-error @+1 {{element numbers are integers, got 4x8xf16}}
  %8 = tile.iota axis(1) : 4x8xf16
  // expected-error @+1 {{the result is 4x8xf32, declared as 4x4xf32}}
  %9 = tile.cast %a : 4x4xf32
  // expected-error @+1 {{not defined for i1}}
  %m = tile.compare lt, %a, %a : 4x8xi1  %10 = tile.add %m, %m : 4x8xi1
}

// -----

tile.kernel @k (%y: out 1x1xi32) {
  // expected-error @+1 {{0.5 is not an integer, and the dtype is i32}}
  %0 = tile.constant 0.5 : 1x1xi32
}

// -----

tile.kernel @k (%y: out 1x1xui8) {
  // expected-error @+1 {{256 is not in 0..255 of u8}}
  %0 = tile.constant 256 : 1x1xui8
}

// -----

tile.kernel @number (%y: out 1x1xui8) {
  tile.for %k in 0 to 3 step 1 {
    // expected-error @+1 {{the number gets to 256, which is not in 0..255 of u8}}
    %0 = tile.number [%k * 128] : 1x1xui8
    // expected-error @+1 {{the result is 1x1xi32, declared as 1x2xi32}}
    %1 = tile.number [%k] : 1x2xi32
    tile.yield
  }
}

// -----

tile.kernel @storage (%x: in 4x8xf8E4M3FN, %w: in 8x4xf64, %y: out 4x8xf32) {
  %a = tile.load %x : 4x8xf8E4M3FN
  %b = tile.load %w : 8x4xf64
  // expected-error @+1 {{not defined for f8e4m3: cast it to f32 first}}
  %0 = tile.add %a, %a : 4x8xf8E4M3FN
  // expected-error @+1 {{not defined for f8e4m3: cast it to f32 first}}
  %1 = tile.exp %a : 4x8xf8E4M3FN
  // expected-error @+1 {{not defined for f8e4m3: cast it to f32 first}}
  %2 = tile.compare lt, %a, %a : 4x8xi1
  // expected-error @+1 {{not defined for f8e4m3: cast it to f32 first}}
  %3 = tile.rowsum %a : 4x1xf8E4M3FN
  // expected-error @+1 {{the operands have one dtype of f16, bf16, f32, f8e4m3, f8e5m2, i8, u8, got f64 and f64}}
  %4 = tile.matmul %b, %b transpose_b : 8x8xf32
  // expected-error @+1 {{a store rounds floats of up to 32 bits only: 8x4xf64 does not go into 4x8xf32}}
  tile.store %b, %y
}

// -----

tile.kernel @k (%y: out 1x1xf32) {
  // expected-error @+1 {{%gone is not defined above}}
  tile.store %gone, %y
}

// -----

tile.kernel @shapes (%x: in 4x8xf16, %w: in 8x4xf16, %f: in 8x4xf32, %y: out 4x8xf16) {
  %a = tile.load %x : 4x8xf16
  %b = tile.load %w : 8x4xf16
  %f0 = tile.load %f : 8x4xf32
  // expected-error @+1 {{the inner extents differ: 4x8 times 4x8 (rows x columns after transposition)}}
  %0 = tile.matmul %a, %b transpose_b : 4x8xf32
  // expected-error @+1 {{the operands have one dtype of f16, bf16, f32, f8e4m3, f8e5m2, i8, u8, got f16 and f32}}
  %1 = tile.matmul %a, %f0 : 4x4xf32
  // expected-error @+1 {{the accumulator is 4x4xf32, got 8x4xf32}}
  %2 = tile.matmul %a, %b acc(%f0) : 4x4xf32
  // expected-error @+1 {{the result is 4x4xf32, declared as 4x4xf16}}
  %3 = tile.matmul %a, %b : 4x4xf16
  // expected-error @+1 {{a box of 4x4 at [0, 2] does not lie in 4x8}}
  %4 = tile.slice %a at [0, 2] step [1, 2] : 4x4xf16
  // expected-error @+1 {{strides are 1 or 2, got [1, 3]}}
  %5 = tile.slice %a at [0, 0] step [1, 3] : 4x2xf16
  // expected-error @+1 {{a slice has two offsets and two strides}}
  %6 = tile.slice %a at [0] : 4x2xf16
  // expected-error @+1 {{the parts agree in rows and dtype, got 4x8xf16 and 8x4xf16}}
  %7 = tile.concat %a, %b : 4x12xf16
  // expected-error @+1 {{the halves have one type, got 4x8xf16 and 8x4xf16}}
  %8 = tile.interleave %a, %b : 4x16xf16
  // expected-error @+1 {{k must be in 1..8, the row's length, got 9}}
  %v, %i = tile.topk %a k(9) : 4x9xf16
  // expected-error @+1 {{the indices are i32, got 4x8xf16}}
  %9 = tile.gather %a, %a : 4x8xf16
  // expected-error @+1 {{the result is 4x1xf16, declared as 4x8xf16}}
  %10 = tile.rowsum %a : 4x8xf16
}

// -----

tile.kernel @moves (%x: in 4x8xf32, %n: in 4x1xi32, %y: inout 4x8xf32) {
  %a = tile.load %x : 4x8xf32
  %i = tile.load %n : 4x1xi32
  // expected-error @+1 {{the numbers of 2 rows are 2x1xi32, got 4x1xi32}}
  %0 = tile.load %x rows(%i) : 2x8xf32
  // expected-error @+1 {{rows are chosen by number, or a box begins at one: not both}}
  %1 = tile.load %x at [1, 0] rows(%i) : 4x8xf32
  // expected-error @+1 {{a box of 1x8 at [0, 4] does not lie in 4x8}}
  tile.store %a, %y at [0, 4] rows(%i)
  // expected-error @+1 {{axis must be 0 or 1, got 2}}
  %2 = tile.cumsum %a axis(2) : 4x8xf32
  // expected-error @+1 {{the result is 1x8xf32, declared as 4x1xf32}}
  %3 = tile.colsum %a : 4x1xf32
  // expected-error @+1 {{the result is 4x1xi32, declared as 4x1xf32}}
  %4 = tile.argmax %a : 4x1xf32
  // expected-error @+1 {{the result is 4x8xf32, declared as 4x4xf32}}
  %v, %p = tile.sort %a : 4x4xf32
  // expected-error @+1 {{the result is 8x4xf32, declared as 4x8xf32}}
  %5 = tile.transpose %a : 4x8xf32
  // expected-error @+1 {{4x8xf32 has 32 elements, 4x4 has 16}}
  %6 = tile.reshape %a : 4x4xf32
  // expected-error @+1 {{4x8xf32 does not broadcast to 8x8}}
  %7 = tile.broadcast %a : 8x8xf32
  // expected-error @+1 {{the indices are Nx1xi32, got 4x8xf32}}
  %8 = tile.gather_rows %a, %a : 4x8xf32
}

// -----

tile.kernel @loops (%x: in 64x8xf32, %y: out 8x8xf32) {
  %z = tile.constant 0.0 : 8x8xf32
  // expected-error @+1 {{a loop runs at least once, with a step of at least 1: got 4 to 4 step 1}}
  tile.for %k in 4 to 4 step 1 { tile.yield }
  // expected-error @+1 {{the body ends in tile.yield}}
  tile.for %k in 0 to 4 step 1 {}
  // expected-error @+1 {{the body yields nothing, the loop carries 8x8xf32}}
  %0 = tile.for %k in 0 to 4 step 1 carry(%a = %z) { tile.yield }
  tile.for %k in 0 to 9 step 1 {
    // expected-error @+1 {{a box of 8x8 at [64, 0] does not lie in 64x8}}
    %b = tile.load %x at [%k * 8, 0] : 8x8xf32
    tile.yield
  }
}

// -----

tile.kernel @lengths (%x: in 64x8xf32, %y: inout 8x8xf32, %n: number 0 to 8, %far: number 60 to 90) {
  tile.for %k in 0 to [%n] step 1 {
    // expected-error @+1 {{a loop's length is no number of another loop}}
    tile.for %j in 0 to [%k] step 1 { tile.yield }
    // expected-error @+1 {{the number gets to 290, which is not in 0..255 of u8; declare its range: Scalar[least, most]}}
    %m = tile.number [%n + %far * 3 + 12] : 1x1xui8
    tile.yield
  }
  // Inside for some numbers is enough; for none is not.
  %a = tile.load %x at [%n * 10, 0] : 8x8xf32
  // expected-error @+1 {{a box of 8x8 at [60, 0] does not lie in 64x8}}
  %b = tile.load %x at [%far, 0] : 8x8xf32
  // expected-error @+1 {{an index gets beyond 2**60: use smaller factors and ranges}}
  %c = tile.load %x at [%far * 1152921504606846976, 0] : 8x8xf32
}

// -----

tile.kernel @fused (%x: in 4x8xf16, %y: out 4x8xf16) {
  %a = tile.load %x : 4x8xf16
  // expected-error @+1 {{the body ends in tile.yield of one value}}
  %0 = tile.fused { %b = tile.exp %a : 4x8xf16 } : 4x8xf16
  // expected-error @+1 {{only element-wise ops can be fused, got tile.rowsum}}
  %1 = tile.fused { %b = tile.rowsum %a : 4x1xf16  tile.yield %b } : 4x1xf16
  // expected-error @+1 {{the body yields 4x8xf16, declared as 4x8xf32}}
  %2 = tile.fused { %b = tile.exp %a : 4x8xf16  tile.yield %b } : 4x8xf32
  // expected-error @+1 {{the body ends in tile.yield of one value}}
  %3 = tile.fused {} : 4x8xf16
}

// -----

// expected-error @+1 {{a parameter cannot be named ''}}
"tile.kernel"() <{sym_name = "k", names = [""], roles = [#tile<role out>]}> ({
^bb0(%y: !tile.ref<4x4xf32>):
}) : () -> ()

// -----

// expected-error @+1 {{two parameters have one name: y, y}}
"tile.kernel"() <{sym_name = "k", names = ["y", "y"], roles = [#tile<role out>, #tile<role in>]}> ({
^bb0(%y: !tile.ref<4x4xf32>, %z: !tile.ref<4x4xf32>):
}) : () -> ()

// -----

// expected-error @+1 {{2 parameters, 1 names, 1 roles}}
"tile.kernel"() <{sym_name = "k", names = ["y"], roles = [#tile<role out>]}> ({
^bb0(%y: !tile.ref<4x4xf32>, %z: !tile.ref<4x4xf32>):
}) : () -> ()
