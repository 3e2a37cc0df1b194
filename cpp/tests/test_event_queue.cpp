#include <doctest/doctest.h>

#include <random>
#include <set>
#include <tuple>

#include "engine/event_queue.h"

using namespace pto;

namespace {

constexpr EventKind kKinds[] = {EventKind::ServerFree, EventKind::Report, EventKind::Orchestrator,
                                EventKind::Ready,      EventKind::Gate,   EventKind::Start};

using Sorted = std::set<std::tuple<int64_t, int, int64_t>>;  // time, kind, id

// Takes all events of the next cycle in the order of the phases, and compares them with the first ones of `expected`.
int64_t take_cycle(EventQueue& events, Sorted& expected) {
  const int64_t now = events.advance();
  REQUIRE(now != EventQueue::kNever);
  for (const EventKind kind : kKinds) {
    while (events.has(kind)) {
      REQUIRE(!expected.empty());
      CHECK(*expected.begin() == std::tuple(now, static_cast<int>(kind), events.pop()));
      expected.erase(expected.begin());
    }
  }
  CHECK((expected.empty() || std::get<0>(*expected.begin()) > now));
  return now;
}

}  // namespace

TEST_CASE("events come by time, phase and id, however far away they were announced") {
  std::mt19937 random(7);
  const auto below = [&random](int64_t bound) { return static_cast<int64_t>(random() % static_cast<uint64_t>(bound)); };
  for (const int64_t farthest : {3, 100, 20'000, 1'000'000}) {
    EventQueue events;
    Sorted expected;
    int64_t now = 0, id = 0;
    for (int step = 0; step < 20'000; ++step) {
      if (expected.empty() || below(3) > 0) {
        // A few distances occur again and again, so that near and far events meet in one cycle.
        const int64_t distance = below(2) == 0 ? 1 + below(farthest) : farthest;
        const int kind = static_cast<int>(below(6));
        events.push(now + distance, kKinds[kind], id);
        expected.emplace(now + distance, kind, id++);
      } else {
        now = take_cycle(events, expected);
      }
    }
    while (!expected.empty()) take_cycle(events, expected);
    CHECK(events.advance() == EventQueue::kNever);
  }
}
