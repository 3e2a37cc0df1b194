// RUN: INVALID

task.workload @places {
  // expected-error @+1 {{a channel is declared in a pipeline, beside its processes}}
  %a = task.channel "a" depth 1 width 1
  // expected-error @+1 {{a process is part of a pipeline}}
  task.process "p" { }
}

// -----

task.workload @numbers {
  task.pipeline {
    %a = task.channel "a" depth 1 width 2
    task.process "p" {
      task.parallel (%i) in (8) {
        // expected-error @+1 {{a token has 2 numbers, got 1}}
        task.send %a(%i)
      }
    }
    // expected-error @+1 {{a process has at least 1 replica, got 0}}
    task.process "q" (%r) in (0) {
      task.parallel (%i) in (8) {
        // expected-error @+1 {{a process consumes a channel once, until it ends: outside of loops and conditions}}
        task.consume (%j, %k) from %a { }
      }
    }
  }
}

// -----

task.workload @depths {
  // expected-error @+1 {{channel a has one sending process, got 0}}
  task.pipeline {
    // expected-error @+1 {{a depth is at least 0, got -1}}
    %a = task.channel "a" depth -1 width 1
    task.process "p" { }
  }
}

// -----

task.workload @unconsumed {
  // expected-error @+1 {{channel a is consumed once, got 0}}
  task.pipeline {
    %a = task.channel "a" depth 1 width 0
    task.process "p" { task.send %a() }
  }
}

// -----

task.workload @two_senders {
  // expected-error @+1 {{channel a has one sending process, got 2}}
  task.pipeline {
    %a = task.channel "a" depth 1 width 0
    task.process "p" { task.send %a() }
    task.process "q" { task.send %a() }
    task.process "r" { task.consume () from %a { } }
  }
}

// -----

task.workload @to_itself {
  // expected-error @+1 {{channel a leads from a process to one below it}}
  task.pipeline {
    %a = task.channel "a" depth 1 width 0
    task.process "p" { task.send %a() task.consume () from %a { } }
  }
}

// -----

task.workload @beside {
  // expected-error @+1 {{a pipeline holds channels and processes: all else in these}}
  task.pipeline { task.launch @k }
}

// -----

task.workload @names {
  // expected-error @+1 {{two channels are named a}}
  task.pipeline {
    %a = task.channel "a" depth 1 width 0
    %b = task.channel "a" depth 1 width 0
  }
}

// -----

task.workload @nested {
  task.pipeline {
    task.process "p" {
      // expected-error @+1 {{a pipeline is inside of no other one's process}}
      task.pipeline { }
    }
  }
}
