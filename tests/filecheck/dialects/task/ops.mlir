// RUN: ROUNDTRIP
// RUN: ptoc %s -p '' --print-debuginfo | filecheck %s --check-prefix=LOC

// CHECK:      task.workload @all {
task.workload @all {
  // CHECK-NEXT: %h = task.tensor "h2" : 1x256x64xf16
  %h = task.tensor "h2" : 1x256x64xf16
  // CHECK-NEXT: %up = task.tensor "up" role(constant) from random<seed = 7, scale = 0.015625> : 256x64x32xf16
  %up = task.tensor "up" role(constant) from random<scale = 0.015625, seed = 7> : 256x64x32xf16
  // CHECK-NEXT: %bias = task.tensor "a bias" from memory : 1x32xf32
  %bias = task.tensor "a bias" from memory : 1x32xf32
  // CHECK-NEXT: %chosen = task.tensor "chosen" from zipf<s = 0.8, seed = 0, values = 256, groups = 8, kept_groups = 4> : 1x256x8xi32
  %chosen = task.tensor "chosen" from zipf<s = 0.8, seed = 0, values = 256, groups = 8, kept_groups = 4> : 1x256x8xi32
  // CHECK-NEXT: %parts = task.tensor "parts" : 1x256x256xf16
  %parts = task.tensor "parts" : 1x256x256xf16
  // CHECK-NEXT: task.parallel (%b, %t) in (1, 256) {
  task.parallel (%b, %t) in (1, 256) {
    // CHECK-NEXT: %x = task.view %h[%b, %t, 0] [1, 1, 64]
    %x = task.view %h[%b, %t, 0] [1, 1, 64]
    // CHECK-NEXT: %row = task.view %chosen[%b, %t, 0] [1, 1, 8]
    %row = task.view %chosen[%b, %t, 0] [1, 1, 8]
    // CHECK-NEXT: task.select %e at %k in %row {
    task.select %e at %k in %row {
      // CHECK-NEXT: %w = task.view %up[%e, 0, 0] [1, 64, 32]
      %w = task.view %up[%e, 0, 0] [1, 64, 32]
      // CHECK-NEXT: %i = task.index [(%k + %b + 1) floordiv 2 * 32 + %t mod 4]
      %i = task.index [((%k + %b + 1) floordiv 2) * 32 + %t mod 4]
      // CHECK-NEXT: %y = task.view %parts[%b, %t, %i] [1, 1, 32]
      %y = task.view %parts[%b, %t, %i] [1, 1, 32]
      // CHECK-NEXT: task.launch @expert checked [token = %t, "the expert" = %e] ins(%x, %w, %bias) outs(%y)
      task.launch @expert checked [token = %t, "the expert" = %e] ins(%x, %w, %bias) outs(%y)
    }
    // CHECK: %first = task.launch @first outs(%x) -> handle
    %first = task.launch @first outs(%x) -> handle
    // CHECK-NEXT: task.launch @second ins(%x) after(%first)
    task.launch @second ins(%x) after(%first)
    // CHECK: task.launch @nothing{{$}}
    task.launch @nothing
    // CHECK-NEXT: task.launch @update inouts(%x)
    task.launch @update inouts(%x) loc("model.py":12:3)
    // CHECK: task.launch @counted [token = %t] numbers(%t, %b) inouts(%x)
    task.launch @counted [token = %t] numbers(%t, %b) inouts(%x)
  }
  // CHECK:      task.seq (%s) in (8) {
  // CHECK-NEXT: }
  task.seq (%s) in (8) {}
  // CHECK-NEXT: task.sequential {
  // CHECK-NEXT:   task.combine {
  // CHECK-NEXT:   }
  // CHECK-NEXT: } then {
  // CHECK-NEXT: }
  task.sequential { task.combine {} } then {}
  // CHECK-NEXT: %n = task.symbol "n" from 0 to 1024 default 256
  %n = task.symbol "n" from 0 to 1024 default 256
  // CHECK-NEXT: %m = task.symbol "m" from -4 to 4
  %m = task.symbol "m" from -4 to 4
  // CHECK-NEXT: %count = task.slot "count"
  %count = task.slot "count"
  // CHECK-NEXT: task.parallel (%v, %z) in (8, %n) {
  task.parallel (%v, %z) in (8, %n) {
    // CHECK-NEXT: %element = task.view %chosen[0, %v, 0] [1, 1, 1]
    %element = task.view %chosen[0, %v, 0] [1, 1, 1]
    // CHECK-NEXT: %length = task.read %element
    %length = task.read %element
    // CHECK-NEXT: task.seq (%u) in (%length) checked {
    task.seq (%u) in (%length) checked {
      // CHECK-NEXT: %old = task.slot_load %count
      %old = task.slot_load %count
      // CHECK-NEXT: task.slot_store %old, %count
      task.slot_store %old, %count
      // CHECK-NEXT: task.slot_store checked %length, %count
      task.slot_store checked %length, %count
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: %line = task.view %chosen[0, 0, 0] [1, 1, 8]
    %line = task.view %chosen[0, 0, 0] [1, 1, 8]
    // CHECK-NEXT: task.select %e_1 at %k_1 in %line from %v to %length checked {
    task.select %e at %k in %line from %v to %length checked {
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: %p = task.compare lt [%v * 2, %length + 1]
    %p = task.compare lt [%v * 2, %length + 1]
    // CHECK-NEXT: task.cond %p {
    task.cond %p {
      // CHECK-NEXT: %q = task.compare eq [%z, 0]
      %q = task.compare eq [%z, 0]
      // CHECK-NEXT: task.cond %q {
      // CHECK-NEXT: }
      task.cond %q {}
    // CHECK-NEXT: } else {
    } else {
      // CHECK-NEXT: task.launch @nothing
      task.launch @nothing
    // CHECK-NEXT: }
    }
  // CHECK-NEXT: }
  }
}

// LOC: task.launch @nothing loc("{{.*}}ops.mlir":38:5)
// LOC: task.launch @update inouts(%x) loc("model.py":12:3)
