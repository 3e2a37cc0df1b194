// RUN: ptoc %s -p task-classify-tensors | filecheck %s

task.workload @w {
  // CHECK: "weight" role(constant) from random
  %weight = task.tensor "weight" from random<seed = 1, scale = 1.0> : 8xf32
  // CHECK-NEXT: "x" role(input) :
  %x = task.tensor "x" : 8xf32
  // CHECK-NEXT: "rows" role(input) from zipf
  %rows = task.tensor "rows" from zipf<s = 1.0, values = 8> : 8xi32
  // CHECK-NEXT: "h" role(temporary)
  %h = task.tensor "h" : 8xf32
  // CHECK-NEXT: "y" role(output) :
  %y = task.tensor "y" : 8xf32
  // CHECK-NEXT: "cache" role(output) from memory
  %cache = task.tensor "cache" from memory : 8xf32
  task.select %e at %k in %rows {
    %v = task.view %h[%k] [1]
    task.launch @a ins(%weight, %x) outs(%v) inouts(%cache)
  }
  task.launch @b ins(%h) outs(%y)
}
