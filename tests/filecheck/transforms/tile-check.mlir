// RUN: ptoc %s -p tile-check --verify-diagnostics

// All errors of all kernels come at once.
// expected-error @+1 {{@part: y is Out, but 48 of its 64 elements are stored; store all of it, or use InOut}}
tile.kernel @part (%x: in 8x8xf32, %y: out 8x8xf32) {
  %a = tile.load %x : 8x4xf32
  tile.store %a, %y
  %b = tile.load %x at [0, 4] : 8x2xf32
  tile.store %b, %y at [0, 4]
  tile.store %b, %y at [0, 2]
}
// expected-error @+1 {{@never: y is Out, but 0 of its 64 elements are stored}}
tile.kernel @never (%x: in 8x8xf32, %y: out 8x8xf32, %z: inout 1x1xf32) {
}
// A loop may have no runs, and a number stores somewhere.
// expected-error @+1 {{@lengths: y is Out, but 8 of its 64 elements are stored}}
tile.kernel @lengths (%x: in 1x8xf32, %y: out 8x8xf32, %n: number 0 to 7) {
  %a = tile.load %x : 1x8xf32
  tile.for %k in 0 to [%n] step 1 {
    tile.store %a, %y at [%k, 0]
    tile.for %j in 0 to 8 step 1 {
      tile.store %a, %y at [%j, 0]
      tile.yield
    }
    tile.yield
  }
  tile.store %a, %y at [%n, 0]
  tile.store %a, %y at [7, 0]
}
tile.kernel @reads (%y: out 8x8xf32) {
  // expected-error @+1 {{@reads: y is Out and cannot be read; use InOut}}
  %a = tile.load %y : 8x8xf32
  tile.store %a, %y
}
tile.kernel @unit unit(vector) (%x: in 8x8xf32, %y: inout 8x8xf32) {
  %a = tile.load %x : 8x8xf32
  // expected-error @+1 {{@unit is declared unit="vector", but a matmul needs the cube unit}}
  %b = tile.matmul %a, %a : 8x8xf32
}
tile.kernel @in_parts (%x: in 8x8xf32, %y: out 8x8xf32) {
  %a = tile.load %x : 4x8xf32
  tile.store %a, %y at [0, 0]
  tile.store %a, %y at [4, 0]
}
