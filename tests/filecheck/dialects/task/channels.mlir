// RUN: ROUNDTRIP

// CHECK:      task.workload @stream {
task.workload @stream {
  // CHECK-NEXT: %x = task.tensor "x" : 8x4xf32
  %x = task.tensor "x" : 8x4xf32
  // CHECK-NEXT: task.pipeline {
  task.pipeline {
    // CHECK-NEXT: %full = task.channel "full" depth 2 width 1
    %full = task.channel "full" depth 2 width 1
    // CHECK-NEXT: %done = task.channel "done" depth 0 width 0
    %done = task.channel "done" depth 0 width 0
    // CHECK-NEXT: %pairs = task.channel "pairs" depth 1 width 2
    %pairs = task.channel "pairs" depth 1 width 2
    // CHECK-NEXT: task.process "load" {
    task.process "load" {
      // CHECK-NEXT: task.parallel (%i) in (8) {
      task.parallel (%i) in (8) {
        // CHECK-NEXT: task.send %full(%i)
        task.send %full(%i)
      // CHECK-NEXT: }
      }
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: task.process "work" (%r) in (4) {
    task.process "work" (%r) in (4) {
      // CHECK-NEXT: task.consume (%j) from %full {
      task.consume (%j) from %full {
        // CHECK-NEXT: task.send %done()
        task.send %done()
        // CHECK-NEXT: task.send %pairs(%j, %r)
        task.send %pairs(%j, %r)
      // CHECK-NEXT: }
      }
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: task.process "end" {
    task.process "end" {
      // CHECK-NEXT: task.consume () from %done {
      // CHECK-NEXT: }
      task.consume () from %done {}
      // CHECK-NEXT: task.consume (%a, %b) from %pairs {
      task.consume (%a, %b) from %pairs {
        // CHECK-NEXT: task.launch @k [a = %a, b = %b] ins(%x)
        task.launch @k [a = %a, b = %b] ins(%x)
      // CHECK-NEXT: }
      }
    // CHECK-NEXT: }
    }
  }
}
