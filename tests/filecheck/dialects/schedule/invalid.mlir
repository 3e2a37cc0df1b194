// RUN: INVALID

schedule.plan @words for @w {
  // expected-error @+1 {{deps must be one of infer_bytes_overlap, hybrid, got guess}}
  schedule.task_graph deps(guess)
  // expected-error @+1 {{dispatch must be one of shared, round_robin, work_steal, got affinity}}
  schedule.dispatch policy(affinity)
}

// -----

schedule.plan @arguments for @w {
  // expected-error @+1 {{start: threshold takes 1 numbers, got 0}}
  schedule.task_graph start(threshold)
  // expected-error @+1 {{dispatch: round_robin must be at least 1, got 0}}
  schedule.dispatch policy(round_robin<0>)
}

// -----

schedule.plan @arguments for @w {
  // expected-error @+1 {{pools: single takes no words, got now}}
  schedule.task_graph pools(single<now>)
  // expected-error @+1 {{dispatch: round_robin takes 0 or 1 numbers, got 2}}
  schedule.dispatch policy(round_robin<1, 2>)
}

// -----

schedule.plan @twice for @w {
  // expected-error @+1 {{clause deps is given twice}}
  schedule.task_graph deps(hybrid) deps(hybrid)
}

// -----

// expected-error @+1 {{schedule.task_graph is given twice}}
schedule.plan @twice for @w {
  schedule.task_graph
  schedule.task_graph
}

// -----

// expected-error @+1 {{schedule.dispatch and schedule.dispatch_threshold exclude each other}}
schedule.plan @both for @w {
  schedule.dispatch policy(work_steal)
  schedule.dispatch_threshold {1 = work_steal}
}

// -----

// expected-error @+1 {{task.launch is no part of a plan}}
schedule.plan @foreign for @w {
  task.launch @k
}

// -----

// expected-error @+1 {{'schedule.dispatch' expects parent op 'schedule.plan'}}
schedule.dispatch policy(work_steal)

// -----

schedule.plan @window for @w {
  // expected-error @+1 {{window must be at least 1, got 0}}
  schedule.task_graph window(0, tasks, stall)
}

// -----

schedule.plan @window for @w {
  // expected-error @+1 {{window: mode must be one of stall, got abort}}
  schedule.task_graph window(8, tasks, abort)
}

// -----

schedule.plan @depth for @w {
  // expected-error @+1 {{depth: scope must be one of core, per_pool, got everywhere}}
  schedule.pipeline_depth (3, everywhere)
}

// -----

schedule.plan @thresholds for @w {
  // expected-error @+1 {{thresholds increase from at least 1, got [256, 128]}}
  schedule.dispatch_threshold {256 = work_steal, 128 = work_steal}
}
