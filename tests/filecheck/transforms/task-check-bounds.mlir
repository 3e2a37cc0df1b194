// RUN: ptoc %s -p task-check-bounds | filecheck %s

// CHECK-LABEL: @fine
task.workload @fine {
  %t = task.tensor "t" : 64x8xf32
  %c = task.tensor "c" : 16xi32
  task.parallel (%i, %j) in (8, 8) {
    %a = task.view %t[%i * 8 + %j, 0] [1, 8]
    %p = task.index [%i * 8]
    %b = task.view %t[%p, %j] [8, 1]
    %d = task.view %t[56 - %i * 8, %j mod 4 + 4] [8, 1]
    %r = task.view %t[(%i + %j) floordiv 2, 0] [1, 8]
    // CHECK: task.launch @k ins
    task.launch @k ins(%a, %b, %d, %r)
  }
  task.select %e at %k in %c {
    %a = task.view %t[%k * 4, 0] [4, 8]
    %b = task.view %t[%e mod 64, 0] [1, 8]
    // CHECK: task.launch @k ins
    task.launch @k ins(%a, %b)
    // A number that a task computes may miss.
    // CHECK: task.launch @k checked ins
    %d = task.view %t[%e, 0] [1, 8]
    task.launch @k ins(%d)
    // CHECK: task.launch @k checked ins
    %q = task.index [%e + 1]
    %outer = task.view %t[%q, 0] [1, 8]
    %inner = task.view %outer[0, 4] [1, 4]
    task.launch @k ins(%inner)
    // It cancels here, which an interval does not see.
    // CHECK: task.launch @k checked ins
    %f = task.view %t[%k - %k, 0] [1, 8]
    %g = task.view %t[%k * 8 mod 64 + %k, 0] [1, 8]
    task.launch @k ins(%f, %g)
  }
  // No iteration, no miss.
  task.parallel (%i) in (0) { %v = task.view %t[%i + 100, 0] [1, 8]  task.launch @k ins(%v) }
}
