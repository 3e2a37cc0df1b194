// RUN: ptoc %s -p task-check-reads --verify-diagnostics

task.workload @w {
  %none = task.tensor "none" : 2x8xi32
  %computed = task.tensor "computed" : 8xi32
  %given = task.tensor "given" from memory : 8xi32
  %drawn = task.tensor "drawn" from zipf<s = 0.8, values = 16> : 8xi32
  task.launch @k outs(%computed)
  task.select %e at %k in %computed {}
  task.select %e at %k in %given {}
  task.select %e at %k in %drawn {}
  %row = task.view %none[1, 0] [1, 8]
  // expected-error @+1 {{the selection reads "none", which has no values: no task writes it; give it data, or a routing such as Zipf(0.8, seed=0)}}
  task.select %e at %k in %row {}
  %element = task.view %none[1, 3] [1, 1]
  // expected-error @+1 {{the workload reads "none", which has no values: no task writes it; give it data, or a routing such as Zipf(0.8, seed=0)}}
  %n = task.read %element
}
