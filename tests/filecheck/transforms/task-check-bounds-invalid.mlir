// RUN: ptoc %s -p task-check-bounds --verify-diagnostics

tile.kernel @counted (%y: inout 64x8xf32, %n: number 0 to 8) {}
task.workload @misses {
  %t = task.tensor "t" : 64x8xf32
  %c = task.tensor "c" : 16xi64
  task.parallel (%i) in (8) {
    // expected-error @+1 {{"t": axis 0 has 64 elements, and a region of 16 begins at 0 up to 56}}
    %a = task.view %t[%i * 8, 0] [16, 8]
    // expected-error @+1 {{"t": axis 1 has 8 elements, and a region of 1 begins at -1 up to 6}}
    %b = task.view %t[%i, %i - 1] [1, 1]
    // expected-error @+1 {{"t": axis 0 has 64 elements, and a region of 1 begins at 64}}
    %d = task.view %t[64, 0] [1, 8]
    %e = task.view %t[%i, 0] [1, 4]
    // Bounds are the view's, as with NumPy.
    // expected-error @+1 {{"t": axis 1 has 4 elements, and a region of 4 begins at 4}}
    %f = task.view %e[0, 4] [1, 4]
  }
  task.parallel (%i) in (8) {
    task.launch @counted numbers(%i) inouts(%t)
    %f = task.index [%i + 9]
    // expected-error @+1 {{@counted: number n is 9 up to 16, expected 0 to 8}}
    task.launch @counted numbers(%f) inouts(%t)
  }
  task.select %e at %k in %c {
    // expected-error @+1 {{"t": axis 1 has 8 elements, and a region of 1 begins at 0 up to 15}}
    %a = task.view %t[%e, %k] [1, 1]
    // An element of %c is taken to be below 2**40.
    // expected-error @+1 {{an index can get as large as 1152921504605798400000: expected at most 2**60; use smaller factors}}
    %b = task.view %t[(%e * 1048576000) mod 64, 0] [1, 1]
    // expected-error @+1 {{an index can get as large as}}
    %f = task.index [%e * 1048577]
  }
  // What surely misses misses under a condition too.
  %n = task.symbol "n" from 0 to 8
  %p = task.compare lt [%n, 4]
  task.cond %p {
    // expected-error @+1 {{"t": axis 0 has 64 elements, and a region of 1 begins at 64 up to 72}}
    %a = task.view %t[%n + 64, 0] [1, 8]
  }
  %m = task.index [%n - 9]
  // expected-error @+1 {{a loop's length is -9 up to -1: expected at least 0}}
  task.parallel (%i) in (%m) { task.launch @k }
}
