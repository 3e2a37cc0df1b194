// RUN: ptoc %s -p schedule-resolve --verify-diagnostics --split-input-file

schedule.plan @twice for @w {
  schedule.task_graph batch(2) depth(3)
  // expected-error @+1 {{schedule.batch_deps and task_graph's batch both set the same; use one}}
  schedule.batch_deps (2)
  // expected-error @+1 {{schedule.pipeline_depth and task_graph's depth both set the same; use one}}
  schedule.pipeline_depth (3)
}

// -----

// expected-error @+1 {{schedule.pool goes with pools(custom<@key>)}}
schedule.plan @pools for @w {
  schedule.pool @a cube(1) vector(0)
}

// -----

// expected-error @+1 {{pools(custom<..>) has no schedule.pool to choose from}}
schedule.plan @none for @w {
  schedule.key @k (%task) {
    %i = schedule.id %task
    schedule.yield %i
  }
  schedule.task_graph pools(custom<@k>)
}
