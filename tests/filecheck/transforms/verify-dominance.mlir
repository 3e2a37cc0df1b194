// RUN: ptoc %s -p verify-dominance --verify-diagnostics --split-input-file

// Forward uses can only be written in the generic syntax.
"task.workload"() <{sym_name = "later"}> ({
  // expected-error @+1 {{task.view: %t is used before it is defined (at}}
  %v = "task.view"(%t) <{offsets = affine_map<() -> (0)>, extents = [#builtin.int<8>]}> : (!task.tensor<8xf32>) -> !task.tensor<8xf32>
  %t = "task.tensor"() <{tensor_name = "t"}> : () -> !task.tensor<8xf32>
}) : () -> ()

// -----

"task.workload"() <{sym_name = "itself"}> ({
  // expected-error @+1 {{task.index: %i is used before it is defined}}
  %i = "task.index"(%i) <{map = affine_map<()[s0] -> (s0)>}> : (index) -> index
}) : () -> ()

// -----

task.workload @fine {
  %t = task.tensor "t" : 8xf32
  task.parallel (%i) in (8) {
    %v = task.view %t[%i] [1]
    task.launch @k ins(%v)
  }
  task.launch @k ins(%t)
}
