#include "core/execution_policy.h"

#include <doctest/doctest.h>

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;

void AddRuns(ExecutionPolicy& policy, int count, std::chrono::nanoseconds duration,
             std::size_t bytes = 256) {
  for (int i = 0; i < count; ++i) policy.AddRun(bytes, duration);
}

}  // namespace

TEST_CASE("short runs are done inline once enough of them were measured") {
  ExecutionPolicy policy(Execution::kAuto);
  AddRuns(policy, 15, 3us);
  CHECK_FALSE(policy.IsInline(256));
  AddRuns(policy, 1, 3us);
  CHECK(policy.IsInline(256));
}

TEST_CASE("long runs stay on threads") {
  ExecutionPolicy policy(Execution::kAuto);
  AddRuns(policy, 1000, 61us);
  CHECK_FALSE(policy.IsInline(256));
}

TEST_CASE("a model between the thresholds stays where it is") {
  ExecutionPolicy policy(Execution::kAuto);
  AddRuns(policy, 100, 30us);
  AddRuns(policy, 1000, 95us);
  CHECK(policy.IsInline(256));
  AddRuns(policy, 100, 160us);
  CHECK_FALSE(policy.IsInline(256));
  AddRuns(policy, 1000, 65us);
  CHECK_FALSE(policy.IsInline(256));
  AddRuns(policy, 100, 30us);
  CHECK(policy.IsInline(256));
}

TEST_CASE("one interrupted run changes nothing") {
  ExecutionPolicy policy(Execution::kAuto);
  AddRuns(policy, 100, 5us);
  AddRuns(policy, 1, 10s);
  CHECK(policy.IsInline(256));
}

TEST_CASE("a slow first run is forgotten") {
  ExecutionPolicy policy(Execution::kAuto);
  AddRuns(policy, 1, 50ms);
  AddRuns(policy, 100, 5us);
  CHECK(policy.IsInline(256));
}

TEST_CASE("inputs of other sizes are judged by themselves") {
  ExecutionPolicy policy(Execution::kAuto);
  AddRuns(policy, 100, 5us, 256);
  CHECK(policy.IsInline(300));
  CHECK_FALSE(policy.IsInline(512));
  CHECK_FALSE(policy.IsInline(0));
  AddRuns(policy, 100, 5ms, std::size_t{1} << 63U);
  CHECK(policy.IsInline(256));
}

TEST_CASE("what is set is not measured") {
  ExecutionPolicy always(Execution::kInline);
  AddRuns(always, 1000, 1s);
  CHECK(always.IsInline(1 << 20));
  ExecutionPolicy never(Execution::kThreaded);
  AddRuns(never, 1000, 1us);
  CHECK_FALSE(never.IsInline(256));
}

}  // namespace warmswap::test
