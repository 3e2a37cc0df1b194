// RUN: ptoc %s -p tile-infer-unit | filecheck %s

// CHECK: tile.kernel @product unit(cube)
tile.kernel @product (%x: in 8x8xf32, %y: out 8x8xf32) {
  %a = tile.load %x : 8x8xf32
  %b = tile.matmul %a, %a : 8x8xf32
  tile.store %b, %y
}
// CHECK: tile.kernel @sum unit(vector)
tile.kernel @sum (%x: in 8x8xf32, %y: out 8x8xf32) {
  %a = tile.load %x : 8x8xf32
  %b = tile.add %a, %a : 8x8xf32
  tile.store %b, %y
}
// What is declared stays.
// CHECK: tile.kernel @declared unit(cube)
tile.kernel @declared unit(cube) (%x: in 8x8xf32, %y: out 8x8xf32) {
  %a = tile.load %x : 8x8xf32
  tile.store %a, %y
}
