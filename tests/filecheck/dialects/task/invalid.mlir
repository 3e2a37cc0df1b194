// RUN: INVALID

// expected-error @+1 {{a tensor is declared at the top of a workload}}
%t = task.tensor "t" : 8x8xf32

// -----

task.workload @tensors {
  // expected-error @+1 {{extents are at least 1, got 0x8}}
  %a = task.tensor "a" : 0x8xf32
}

// -----

task.workload @tensors {
  // expected-error @+1 {{a tensor has 1 to 6 axes, got 7}}
  %a = task.tensor "a" : 1x1x1x1x1x1x1xf32
}

// -----

// expected-error @+1 {{two tensors are named "a"}}
task.workload @tensors {
  %a = task.tensor "a" : 8xf32
  %b = task.tensor "a" : 8xf32
}

// -----

task.workload @sources {
  // expected-error @+1 {{expected memory, random or zipf, got disk}}
  %a = task.tensor "a" from disk : 8xf32
}

// -----

task.workload @sources {
  // expected-error @+1 {{scale is a positive number, got -1}}
  %a = task.tensor "a" from random<seed = 1, scale = -1> : 8xf32
}

// -----

task.workload @sources {
  // expected-error @+1 {{expected one of seed, scale, got sead}}
  %a = task.tensor "a" from random<sead = 1> : 8xf32
}

// -----

task.workload @sources {
  // expected-error @+1 {{10 values do not fall into 4 groups}}
  %a = task.tensor "a" from zipf<s = 1.0, values = 10, groups = 4> : 8xi32
}

// -----

task.workload @sources {
  // expected-error @+1 {{routing is of integers, got 8xf32}}
  %a = task.tensor "a" from zipf<s = 1.0, values = 16> : 8xf32
  // expected-error @+1 {{a row of 8 distinct numbers out of 4}}
  %b = task.tensor "b" from zipf<s = 1.0, values = 16, groups = 4, kept_groups = 1> : 8xi32
}

// -----

task.workload @views {
  %a = task.tensor "a" : 8x8xf32
  task.parallel (%i) in (8) {
    // expected-error @+1 {{an offset and an extent per axis of 8x8xf32, got 1 and 1}}
    %v = task.view %a[%i] [8]
    // expected-error @+1 {{axis 1 has 8 elements, the view 9}}
    %w = task.view %a[%i, 0] [1, 9]
    // expected-error @+1 {{indices use +, *, mod and floordiv; there is no ceildiv}}
    %j = task.index [%i ceildiv 2]
    // expected-error @+1 {{mod and floordiv are by a positive number, got -2}}
    %k = task.index [%i floordiv -2]
    // expected-error @+1 {{an axis is named twice: i, i}}
    "task.launch"(%i, %i) <{callee = @k, axis_names = ["i", "i"], operandSegmentSizes = array<i32: 2, 0, 0, 0, 0, 0>}> : (index, index) -> ()
    // expected-error @+1 {{1 axis values, 0 names}}
    "task.launch"(%i) <{callee = @k, axis_names = [], operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0>}> : (index) -> ()
  }
}

// -----

task.workload @views {
  task.parallel (%i, %j) in (8, 8) {
    // expected-error @+1 {{an index is multiplied and divided by numbers other than 0 only}}
    %p = task.index [%i * %j]
  }
}

// -----

task.workload @views {
  task.parallel (%i) in (8) {
    // expected-error @+1 {{a view is of a tensor or view}}
    %v = task.view %i[0] [8]
  }
}

// -----

task.workload @axes {
  task.parallel (%i) in (8) {
    // expected-error @+1 {{axis i is named twice}}
    task.launch @k [i = %i, i = %i]
  }
}

// -----

task.workload @loops {
  // expected-error @+1 {{an index per extent, got 1 and 2}}
  task.parallel (%i) in (8, 8) {}
  // expected-error @+1 {{extents are at least 0, got -1}}
  task.seq (%i) in (-1) {}
  %f = task.tensor "f" : 8xf32
  // expected-error @+1 {{a row of integers, got 8xf32}}
  task.select %e at %k in %f {}
  %m = task.tensor "m" : 8x8xi32
  // expected-error @+1 {{at most one extent of a row is not 1, got 8x8xi32}}
  task.select %e at %k in %m {}
  // expected-error @+1 {{a sequential has at least one part}}
  "task.sequential"() : () -> ()
}

// -----

task.workload @numbers {
  // expected-error @+1 {{a default in 0 to 8, got 9}}
  %n = task.symbol "n" from 0 to 8 default 9
  // expected-error @+1 {{a range within -1099511627775 to 1099511627775, got 8 to 0}}
  %m = task.symbol "m" from 8 to 0
  %f = task.tensor "f" : 8xf32
  %i = task.tensor "i" : 8xi32
  // expected-error @+1 {{an integer is read, got 8xf32}}
  %a = task.read %f
  // expected-error @+1 {{one element is read, got 8xi32}}
  %b = task.read %i
  // expected-error @+1 {{two numbers are compared, got 1}}
  %c = task.compare lt [%n]
  task.parallel (%j) in (8) {
    // expected-error @+1 {{a symbol is declared at the top of a workload}}
    %d = task.symbol "d" from 0 to 8
    // expected-error @+1 {{a slot is declared at the top of a workload}}
    %e = task.slot "e"
  }
  // expected-error @+1 {{1 extents are values, got 2 operands}}
  "task.parallel"(%n, %n) <{extents = [#builtin.int<-9223372036854775808>]}> ({ ^bb0(%k : index): }) : (index, index) -> ()
  // expected-error @+1 {{a selection has two bounds or none, got 1}}
  "task.select"(%i, %n) ({ ^bb0(%k : index, %l : index): }) : (!task.tensor<8xi32>, index) -> ()
}

// -----

// expected-error @+1 {{two symbols are named "n"}}
task.workload @twice {
  %n = task.symbol "n" from 0 to 8
  %m = task.symbol "n" from 0 to 8
}

// -----

task.workload @predicates {
  task.parallel (%i) in (8) {
    // expected-error @+1 {{Expected `eq`, `ne`, `lt`, `le`, `gt`, or `ge`}}
    %p = task.compare less [%i, 4]
  }
}
