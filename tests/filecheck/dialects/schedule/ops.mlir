// RUN: ROUNDTRIP

// CHECK:      schedule.plan @basic for @moe {
schedule.plan @basic for @moe {
  // CHECK-NEXT: schedule.dispatch policy(round_robin<4>)
  schedule.dispatch policy(round_robin<4>)
  // Clauses come in any order and are printed in one.
  // CHECK-NEXT: schedule.task_graph deps(hybrid<infer_bytes_overlap>) window(16384, tasks, stall) pools(by_exec_unit) ready(work_steal) start(threshold<100>) trace(cycles) batch(128, range_compression) depth(3, per_pool)
  schedule.task_graph window(16384, tasks, stall) deps(hybrid<infer_bytes_overlap>) ready(work_steal) pools(by_exec_unit) start(threshold<100>) depth(3, per_pool) trace(cycles) batch(128, range_compression)
}
// CHECK:      schedule.plan @old for @moe {
schedule.plan @old for @moe {
  // CHECK-NEXT: schedule.dispatch_threshold {256 = round_robin<1>, 1024 = round_robin, 4096 = work_steal}
  schedule.dispatch_threshold {256 = round_robin<1>, 1024 = round_robin, 4096 = work_steal}
  // CHECK-NEXT: schedule.batch_deps (128)
  schedule.batch_deps (128)
  // CHECK-NEXT: schedule.pipeline_depth (3, core)
  schedule.pipeline_depth (3)
}
// CHECK:      schedule.plan @empty for @moe {
// CHECK-NEXT:   schedule.task_graph{{$}}
schedule.plan @empty for @moe {
  schedule.task_graph
}

// CHECK:      schedule.plan @keyed for @moe {
schedule.plan @keyed for @moe {
  // CHECK-NEXT: schedule.key @turn (%task) {
  schedule.key @turn (%task) {
    // CHECK-NEXT: %h = schedule.axis %task "head" else -1
    %h = schedule.axis %task "head" else -1
    // CHECK-NEXT: %i = schedule.id %task
    %i = schedule.id %task
    // CHECK-NEXT: %p = schedule.place %task [4, 6]
    %p = schedule.place %task [4, 6]
    // CHECK-NEXT: %m = task.index [%h mod 4 + %i + %p]
    %m = task.index [%h mod 4 + %i + %p]
    // CHECK-NEXT: %k = schedule.is_kernel %task @expert
    %k = schedule.is_kernel %task @expert
    // CHECK-NEXT: %s = arith.select %k, %m, %i : index
    %s = arith.select %k, %m, %i : index
    // CHECK-NEXT: schedule.yield %s
    schedule.yield %s
  }
  // CHECK: schedule.pool @experts cube(16) vector(0)
  schedule.pool @experts cube(16) vector(0)
  // CHECK-NEXT: schedule.streams 4 by(@turn)
  schedule.streams 4 by(@turn)
  // CHECK-NEXT: schedule.timing policy(rate_limit<30>)
  schedule.timing policy(rate_limit<30>)
  // CHECK-NEXT: schedule.dispatch_threshold {1 = hash<@turn>, 8 = dispatch_by<@turn>}
  schedule.dispatch_threshold {1 = hash<@turn>, 8 = dispatch_by<@turn>}
  // CHECK-NEXT: schedule.task_graph deps(explicit) window(8, bytes, abort) pools(custom<@turn>) ready(priority<@turn>) start(after_orchestration) trace(cycles<@turn>) depth(3, global)
  schedule.task_graph deps(explicit) window(8, bytes, abort) pools(custom<@turn>) ready(priority<@turn>) start(after_orchestration) trace(cycles<@turn>) depth(3, global)
}
// CHECK:      schedule.plan @rest for @moe {
schedule.plan @rest for @moe {
  // CHECK-NEXT: schedule.streams 2
  schedule.streams 2
  // CHECK-NEXT: schedule.timing policy(interleaved<2>)
  schedule.timing policy(interleaved<2>)
  // CHECK-NEXT: schedule.task_graph deps(infer_tensor_map_exact) window(8, entries, benchmark) trace(none) depth(1, per_stream)
  schedule.task_graph deps(infer_tensor_map_exact) window(8, entries, benchmark) trace(none) depth(1, per_stream)
}
