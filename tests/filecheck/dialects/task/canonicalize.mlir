// RUN: ptoc %s -p canonicalize,cse | filecheck %s

// CHECK-LABEL: @views
task.workload @views {
  // CHECK-NEXT: %t = task.tensor "t"
  %t = task.tensor "t" : 64x8xf32
  %unused = task.tensor "unused" : 8xf32
  // A view of a view is a view of the tensor, with the arithmetic in its map.
  // CHECK:      task.parallel (%b, %i) in (4, 2) {
  task.parallel (%b, %i) in (4, 2) {
    %r = task.index [%b * 16]
    %q = task.index [%r + 4]
    %outer = task.view %t[%q, 0] [8, 8]
    %all = task.view %outer[0, 0] [8, 8]
    %j = task.index [%i * 2]
    // CHECK-NEXT: %inner = task.view %t[%b * 16 + %i * 2 + 5, 4] [1, 4]
    %inner = task.view %all[%j + 1, 4] [1, 4]
    %again = task.view %all[%j + 1, 4] [1, 4]
    // CHECK-NEXT: task.launch @k [b = %b] ins(%inner) outs(%inner)
    task.launch @k [b = %b] ins(%inner) outs(%again)
  }
  // Grouping alone is no op in the end; what makes no task goes.
  task.combine {
    // CHECK: task.launch @k outs(%t)
    task.launch @k outs(%t)
    task.parallel (%z) in (0) { task.launch @never outs(%t) }
    task.parallel (%z) in (8) { }
  }
  // CHECK-NEXT: }
}

// What virtual time sees stays: equal launches, one-trip seqs, parts, selections.
// CHECK-LABEL: @clock
task.workload @clock {
  %c = task.tensor "c" : 8xi32
  // CHECK:      task.launch @k ins(%c)
  // CHECK-NEXT: task.launch @k ins(%c)
  task.launch @k ins(%c)
  task.launch @k ins(%c)
  // CHECK-NEXT: task.launch @k{{$}}
  task.launch @k
  // CHECK-NEXT: task.seq (%i) in (1) {
  task.seq (%i) in (1) {
    task.launch @k
  }
  // CHECK: task.sequential {
  // CHECK: task.sequential {
  task.sequential { task.sequential { task.launch @k } } then { task.launch @k }
  // CHECK: task.select %e at %k in %c {
  // CHECK-NEXT: }
  // CHECK-NEXT: task.select %e_1 at %k_1 in %c {
  task.select %e at %k in %c {}
  task.select %e at %k in %c {}
}

// Reads and slots are seen by virtual time: none is merged, and their numbers stay in their order.
// CHECK-LABEL: @numbers
task.workload @numbers {
  %c = task.tensor "c" : 8xi32
  %unused = task.symbol "unused" from 0 to 8
  %s = task.slot "s"
  // CHECK: %unused = task.symbol "unused"
  %v = task.view %c[3] [1]
  // CHECK: %a = task.read %v
  // CHECK-NEXT: %b = task.read %v
  %a = task.read %v
  %b = task.read %v
  // CHECK-NEXT: %x = task.slot_load %s
  // CHECK-NEXT: task.slot_store %a, %s
  // CHECK-NEXT: %y = task.slot_load %s
  %x = task.slot_load %s
  task.slot_store %a, %s
  %y = task.slot_load %s
  %sum = task.index [%x + %y]
  // CHECK-NEXT: %p = task.compare lt [%x + %y, %b]
  %p = task.compare lt [%sum, %b]
  task.cond %p { task.launch @k }
}
