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
