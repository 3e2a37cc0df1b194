// RUN: INVALID

schedule.plan @words for @w {
  // expected-error @+1 {{deps must be one of infer_bytes_overlap, infer_tensor_map_exact, explicit, hybrid, got guess}}
  schedule.task_graph deps(guess)
  // expected-error @+1 {{dispatch must be one of shared, round_robin, affinity, hash, dispatch_by, work_steal, got nearest}}
  schedule.dispatch policy(nearest)
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
  // expected-error @+1 {{window: mode must be one of stall, abort, benchmark, got sleep}}
  schedule.task_graph window(8, tasks, sleep)
}

// -----

schedule.plan @depth for @w {
  // expected-error @+1 {{depth: scope must be one of core, per_pool, global, per_stream, got everywhere}}
  schedule.pipeline_depth (3, everywhere)
}

// -----

schedule.plan @thresholds for @w {
  // expected-error @+1 {{thresholds increase from at least 1, got [256, 128]}}
  schedule.dispatch_threshold {256 = work_steal, 128 = work_steal}
}

// -----

// expected-error @+1 {{there is no schedule.key @k in this plan}}
schedule.plan @keys for @w {
  // expected-error @+1 {{dispatch: affinity takes 1 key functions, got 0}}
  schedule.dispatch policy(affinity)
  // expected-error @+1 {{ready: fifo takes 0 key functions, got 1}}
  schedule.task_graph ready(fifo<@k>)
}

// -----

// expected-error @+1 {{there is no schedule.key @k in this plan}}
schedule.plan @keys for @w {
  schedule.streams 4 by(@k)
}

// -----

// expected-error @+1 {{schedule.key @k is given twice}}
schedule.plan @keys for @w {
  schedule.key @k (%task) {
    %i = schedule.id %task
    schedule.yield %i
  }
  schedule.key @k (%task) {
    %i = schedule.id %task
    schedule.yield %i
  }
}

// -----

schedule.plan @bodies for @w {
  // expected-error @+1 {{a key function ends with schedule.yield}}
  schedule.key @k (%task) {
    %i = schedule.id %task
  }
  // expected-error @+1 {{task.launch is no part of a key function}}
  schedule.key @l (%task) {
    task.launch @a
    %i = schedule.id %task
    schedule.yield %i
  }
}

// -----

schedule.plan @numbers for @w {
  // expected-error @+1 {{there is at least 1 stream, got 0}}
  schedule.streams 0
  // expected-error @+1 {{a pool has at least 1 core, got 0 cube and 0 vector cores}}
  schedule.pool @a cube(0) vector(0)
  // expected-error @+1 {{timing: batched takes 1 numbers, got 0}}
  schedule.timing policy(batched)
  schedule.key @k (%task) {
    // expected-error @+1 {{a grid has extents of at least 1, got 4, 0}}
    %p = schedule.place %task [4, 0]
    schedule.yield %p
  }
}
