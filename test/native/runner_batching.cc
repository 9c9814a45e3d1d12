#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/model.h"
#include "core/runner.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;

/// Waits for its `rows` however long they take to come.
RunnerOptions Patient(std::size_t rows) { return {.max_batch = rows, .max_delay = kPatience}; }

}  // namespace

TEST_CASE("requests run together up to the most rows, each gets its own answer") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(6), completions.Callback());
  runner.Submit(ShiftRows(1, 1, 10));
  runner.Submit(ShiftRows(2, 3, 20));
  runner.Submit(ShiftRows(3, 2, 30));
  REQUIRE(completions.WaitFor(3));
  for (const std::int64_t i : {1, 2, 3}) {
    const RunResult result = completions.TakeResult(static_cast<std::uint64_t>(i));
    CHECK(result.batch_size == 3);
    const std::int64_t rows = i == 1 ? 1 : i == 2 ? 3 : 2;
    CHECK(result.Shape(0) == std::vector<std::int64_t>{rows, 4});
    const std::vector<float> expected(static_cast<std::size_t>(4 * rows),
                                      static_cast<float>(10 * i + 1));
    CHECK(Elements<float>(result) == expected);
  }
}

TEST_CASE("of several threads one forms a batch at a time, so what comes is not spread over many") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  RunnerOptions options = Patient(8);
  options.threads = 4;
  TestRunner runner(session, options, completions.Callback());
  for (std::uint64_t ticket = 1; ticket <= 16; ++ticket) runner.Submit(ShiftRequest(ticket));
  REQUIRE(completions.WaitFor(16));
  for (std::uint64_t ticket = 1; ticket <= 16; ++ticket) {
    CHECK(completions.TakeResult(ticket).batch_size == 8);
  }
}

TEST_CASE("a batch waits no longer than the delay") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {.max_batch = 8, .max_delay = 1ms}, completions.Callback());
  runner.Submit(ShiftRequest(1));
  REQUIRE(completions.WaitFor(1));
  CHECK(completions.TakeResult(1).batch_size == 1);
}

TEST_CASE("without a delay what has piled up runs together") {
  Session session(Library(), ModelPath("slow-rows/1"), {});
  Completions completions;
  TestRunner runner(session, {.max_batch = 8}, completions.Callback());
  runner.Submit(IntegerRow(1, kEndless));
  WaitUntilARunIsUnderWay();
  for (std::uint64_t ticket = 2; ticket <= 12; ++ticket) runner.Submit(IntegerRow(ticket, 1));
  runner.Cancel(1);
  REQUIRE(completions.WaitFor(12));
  CHECK(completions.CodeOf(1) == "CANCELLED");
  for (std::uint64_t ticket = 2; ticket <= 9; ++ticket) {
    CHECK(completions.TakeResult(ticket).batch_size == 8);
  }
  CHECK(completions.TakeResult(12).batch_size == 3);
}

TEST_CASE("another shape ends a batch, and no request overtakes another") {
  Session session(Library(), ModelPath("any-width/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(3), completions.Callback());
  runner.Submit(AnyWidthRows(1, 1, 4, 1));
  runner.Submit(AnyWidthRows(2, 1, 4, 2));
  runner.Submit(AnyWidthRows(3, 1, 5, 3));
  runner.Submit(AnyWidthRows(4, 2, 5, 4));
  REQUIRE(completions.WaitFor(4));
  CHECK(completions.TakeResult(2).batch_size == 2);
  CHECK(completions.TakeResult(4).batch_size == 2);
}

TEST_CASE("a request that alone is bigger than the most rows runs alone") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(2), completions.Callback());
  runner.Submit(ShiftRows(1, 5, 1));
  REQUIRE(completions.WaitFor(1));
  CHECK(completions.TakeResult(1).batch_size == 1);
}

TEST_CASE("one bad request does not fail those that ran with it") {
  Session session(Library(), ModelPath("pick/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(3), completions.Callback());
  runner.Submit(IntegerRow(1, 0));
  runner.Submit(IntegerRow(2, 9));
  runner.Submit(IntegerRow(3, 2));
  REQUIRE(completions.WaitFor(3));
  CHECK(completions.CodeOf(2) != "");
  CHECK(Elements<float>(completions.TakeResult(1)) == std::vector<float>{10});
  const RunResult third = completions.TakeResult(3);
  CHECK(Elements<float>(third) == std::vector<float>{30});
  CHECK(third.batch_size == 1);
}

TEST_CASE("a request whose deadline passes while a batch waits for more is dropped from it") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(2), completions.Callback());
  Request late = ShiftRequest(1);
  late.deadline = Clock::now() + 5ms;
  runner.Submit(std::move(late));
  REQUIRE(completions.WaitFor(1));
  CHECK(completions.CodeOf(1) == "DEADLINE_EXCEEDED");
}

TEST_CASE("a request that is cancelled while a batch waits for more is dropped from it") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(2), completions.Callback());
  runner.Submit(ShiftRequest(1));
  runner.Cancel(1);
  runner.Submit(ShiftRequest(2));
  runner.Submit(ShiftRequest(3));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(1) == "CANCELLED");
}

TEST_CASE("a batch runs on while one of its requests is wanted, and ends when none is") {
  Session session(Library(), ModelPath("slow-rows/1"), {});
  Completions completions;
  TestRunner runner(session, Patient(2), completions.Callback());
  runner.Submit(IntegerRow(1, kEndless));
  runner.Submit(IntegerRow(2, kEndless));
  WaitUntilARunIsUnderWay();
  runner.Cancel(1);
  runner.Cancel(1);
  WaitUntilARunIsUnderWay();
  CHECK(completions.count() == 0);
  runner.Cancel(2);
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(1) == "CANCELLED");
  CHECK(completions.CodeOf(2) == "CANCELLED");
}

TEST_CASE("stopping completes a batch that waits for more, and one that runs") {
  Session session(Library(), ModelPath("slow-rows/1"), {});
  for (const std::uint64_t requests : {1, 2}) {
    Completions completions;
    TestRunner runner(session, Patient(2), completions.Callback());
    for (std::uint64_t i = 0; i < requests; ++i) runner.Submit(IntegerRow(i, kEndless));
    if (requests == 2) WaitUntilARunIsUnderWay();
    runner.Stop();
    REQUIRE(completions.count() == requests);
    for (std::uint64_t i = 0; i < requests; ++i) CHECK(completions.CodeOf(i) == "UNAVAILABLE");
  }
}

TEST_CASE("a model that cannot be batched is refused when it is asked to be") {
  for (const char* fixture : {"slow/1", "identity-bytes/1", "scalar/1"}) {
    Completions completions;
    ModelOptions options;
    options.model_path = ModelPath(fixture);
    options.runner.max_batch = 2;
    const Error error = ErrorOf([&] { Model(Library(), options, completions.Callback()); });
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), "batching"));
  }
}

TEST_CASE("requests of many threads and shapes batched by many each get their own answer") {
  Session session(Library(), ModelPath("any-width/1"), {});
  Completions completions;
  constexpr std::uint64_t kThreads = 3;
  constexpr std::uint64_t kEach = 300;
  TestRunner runner(session,
                    {.threads = 2, .queue_capacity = 1000, .max_batch = 8, .max_delay = 100us},
                    completions.Callback());
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t ticket = t * kEach + i;
        const auto rows = static_cast<std::int64_t>(1 + ticket % 3);
        const auto width = static_cast<std::int64_t>(1 + (ticket / 16) % 2);
        runner.Submit(AnyWidthRows(ticket, rows, width, static_cast<float>(ticket)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(completions.WaitFor(kThreads * kEach));
  for (std::uint64_t ticket = 0; ticket < kThreads * kEach; ++ticket) {
    const RunResult result = completions.TakeResult(ticket);
    const std::vector<float> answer = Elements<float>(result);
    REQUIRE(answer.size() == (1 + ticket % 3) * (1 + (ticket / 16) % 2));
    for (const float y : answer) REQUIRE(y == static_cast<float>(ticket + 1));
  }
}

}  // namespace warmswap::test
