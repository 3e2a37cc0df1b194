// RUN: ptoc %s -p schedule-resolve | filecheck %s
// RUN: ptoc %s -p schedule-resolve,schedule-resolve | filecheck %s

// CHECK-LABEL: @empty
// CHECK-NEXT:    schedule.dispatch policy(shared)
// CHECK-NEXT:    schedule.timing policy(immediate)
// CHECK-NEXT:    schedule.task_graph deps(hybrid<infer_bytes_overlap>) window(8192, tasks, stall) pools(by_exec_unit) ready(fifo) start(threshold<1>) trace(cycles)
// CHECK-NEXT:  }
schedule.plan @empty for @w {}

// The deprecated forms become clauses.
// CHECK-LABEL: @old
// CHECK-NEXT:    schedule.dispatch_threshold {256 = round_robin<1>, 1024 = work_steal}
// CHECK-NEXT:    schedule.timing policy(immediate)
// CHECK-NEXT:    schedule.task_graph deps(hybrid<infer_bytes_overlap>) window(64, tasks, stall) pools(by_exec_unit) ready(work_steal) start(threshold<1>) trace(cycles) batch(128, range_compression) depth(3, per_pool)
// CHECK-NEXT:  }
schedule.plan @old for @w {
  schedule.pipeline_depth (3, per_pool)
  schedule.dispatch_threshold {256 = round_robin<1>, 1024 = work_steal}
  schedule.task_graph ready(work_steal) deps(hybrid) window(64, tasks, stall)
  schedule.batch_deps (128, range_compression)
}

// What is said stays.
// CHECK-LABEL: @all
// CHECK-NEXT:    schedule.dispatch policy(round_robin)
// CHECK-NEXT:    schedule.timing policy(batched<3>)
// CHECK-NEXT:    schedule.task_graph deps(infer_bytes_overlap) window(1, tasks, stall) pools(single) ready(fifo) start(threshold<7>) trace(cycles) batch(2) depth(1, core)
// CHECK-NEXT:  }
schedule.plan @all for @w {
  schedule.dispatch policy(round_robin)
  schedule.timing policy(batched<3>)
  schedule.task_graph deps(infer_bytes_overlap) window(1, tasks, stall) pools(single) ready(fifo) start(threshold<7>) trace(cycles) batch(2) depth(1)
}
