// RUN: ptoc %s -p task-check-launches --verify-diagnostics

tile.kernel @k (%x: in 1x8xf16, %z: inout 4x8xf32, %y: out 8x1xf32) {}
tile.kernel @counted (%y: out 8x1xf32, %n: number 0 to 8) {}
task.workload @w {
  %x = task.tensor "x" from random<seed = 1, scale = 1.0> : 2x8xf16
  %y = task.tensor "y" : 1x8x1xf32
  %z = task.tensor "z" : 4x1x8xf32
  %v = task.view %x[0, 0] [1, 8]
  // Axes of extent 1 do not count.
  task.launch @k ins(%v) outs(%y) inouts(%z)
  task.parallel (%i) in (4) {
    task.launch @counted numbers(%i) outs(%y)
    // expected-error @+1 {{@counted takes 1 numbers (n), got 2}}
    task.launch @counted numbers(%i, %i) outs(%y)
  }
  // expected-error @+1 {{there is no kernel @q; known: @k, @counted}}
  task.launch @q ins(%v)
  // expected-error @+3 {{@k takes 1 in operands (x), got 2}}
  // expected-error @+2 {{@k takes 1 out operands (y), got 0}}
  // expected-error @+1 {{@k: z gets a region of tensor "y" of shape 1x8x1, expected 4x8 up to axes of extent 1 (the kernel is declared at}}
  task.launch @k ins(%v, %v) inouts(%y)
  // expected-error @+3 {{@k: y gets a region of tensor "x" of f16, expected f32}}
  // expected-error @+2 {{@k: y gets a region of tensor "x", which is procedural and cannot be written}}
  // expected-error @+1 {{@k: x gets a region of tensor "x" of shape 2x8, expected 1x8}}
  task.launch @k ins(%x) outs(%v) inouts(%z)
}
// expected-error @+1 {{@p: there is no workload @u; known: @w}}
schedule.plan @p for @u {}
