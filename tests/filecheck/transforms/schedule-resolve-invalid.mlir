// RUN: ptoc %s -p schedule-resolve --verify-diagnostics

schedule.plan @twice for @w {
  schedule.task_graph batch(2) depth(3)
  // expected-error @+1 {{schedule.batch_deps and task_graph's batch both set the same; use one}}
  schedule.batch_deps (2)
  // expected-error @+1 {{schedule.pipeline_depth and task_graph's depth both set the same; use one}}
  schedule.pipeline_depth (3)
}
