// RUN: ptoc %s -p canonicalize,cse | filecheck %s

// A plan is data: no generic pass touches it.
// CHECK:      schedule.plan @p for @w {
// CHECK-NEXT:   schedule.dispatch policy(work_steal)
// CHECK-NEXT:   schedule.task_graph depth(3, core)
// CHECK-NEXT: }
// CHECK-NEXT: schedule.plan @same for @w {
// CHECK-NEXT:   schedule.dispatch policy(work_steal)
// CHECK-NEXT:   schedule.task_graph depth(3, core)
// CHECK-NEXT: }
schedule.plan @p for @w {
  schedule.dispatch policy(work_steal)
  schedule.task_graph depth(3)
}
schedule.plan @same for @w {
  schedule.dispatch policy(work_steal)
  schedule.task_graph depth(3)
}
