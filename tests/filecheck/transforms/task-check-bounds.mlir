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

// Numbers that only a run knows: within their range nothing is tested.
// CHECK-LABEL: @runs
task.workload @runs {
  %t = task.tensor "t" : 64x8xf32
  %small = task.tensor "small" : 8xi32
  %n = task.symbol "n" from 0 to 64
  %m = task.symbol "m" from -1 to 65
  %s = task.slot "s"
  // CHECK: task.parallel (%i) in (%n) {
  task.parallel (%i) in (%n) {
    %a = task.view %t[%i, 0] [1, 8]
    // CHECK: task.launch @k ins
    task.launch @k ins(%a)
  }
  // CHECK: task.seq (%i_1, %j) in (8, %m) checked {
  task.seq (%i, %j) in (8, %m) {
    %a = task.view %t[%j, 0] [1, 8]
    // CHECK: task.launch @k checked ins
    task.launch @k ins(%a)
  }
  // Not all indices get there: no sure miss.
  task.parallel (%i) in (100) {
    %p = task.compare lt [%i, 64]
    task.cond %p {
      %a = task.view %t[%i, 0] [1, 8]
      // CHECK: task.launch @k checked ins
      task.launch @k ins(%a)
    }
    task.parallel (%j) in (%n) {
      %b = task.view %t[%i, 0] [1, 8]
      // CHECK: task.launch @k checked ins
      task.launch @k ins(%b)
    }
  }
  // CHECK: task.select %e at %k in %small from %n to %m checked {
  task.select %e at %k in %small from %n to %m { task.launch @k }
  // CHECK: task.slot_store %n, %s
  task.slot_store %n, %s
  %c = task.slot_load %s
  %more = task.index [%c + 1]
  // CHECK: task.slot_store checked %more, %s
  task.slot_store %more, %s
}
