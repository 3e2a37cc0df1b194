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
