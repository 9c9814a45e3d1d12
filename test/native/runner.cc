#include "core/runner.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {

using namespace std::chrono_literals;

/// A runner without threads runs nothing: what is submitted stays in its queue.
constexpr RunnerOptions kNoThreads{.threads = 0, .queue_capacity = 8};

std::vector<float> Answer(Completions& completions, std::uint64_t ticket) {
  return Elements<float>(completions.TakeResult(ticket));
}

}  // namespace

TEST_CASE("every request completes exactly once, with its own answer") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {.threads = 3, .queue_capacity = 1000}, completions.Callback());
  constexpr std::uint64_t kRequests = 200;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    runner.Submit(ShiftRequest(i, static_cast<float>(10 * i)));
  }
  REQUIRE(completions.WaitFor(kRequests));
  runner.Stop();
  CHECK(completions.count() == kRequests);
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    CHECK(completions.Times(i) == 1);
    const auto x = static_cast<float>(10 * i);
    CHECK(Answer(completions, i) == std::vector<float>{x + 1, x + 2, x + 3, x + 4});
  }
}

TEST_CASE("a result tells how long it waited and how long it ran") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  const auto before = Clock::now();
  runner.Submit(SlowRequest(1, 10'000));
  REQUIRE(completions.WaitFor(1));
  const auto elapsed = Clock::now() - before;
  const RunResult result = completions.TakeResult(1);
  CHECK(result.queued >= 0ns);
  CHECK(result.computed > 0ns);
  CHECK(result.queued + result.computed <= elapsed);
  CHECK(result.batch_size == 1);
}

TEST_CASE("a request whose deadline passed in the queue fails with DEADLINE_EXCEEDED") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  Request late = ShiftRequest(1);
  late.deadline = Clock::now();
  Request in_time = ShiftRequest(2);
  in_time.deadline = Clock::now() + 2 * kPatience;
  runner.Submit(std::move(late));
  runner.Submit(std::move(in_time));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(1) == "DEADLINE_EXCEEDED");
  CHECK(completions.CodeOf(2) == "");
}

TEST_CASE("a full queue refuses at once, and the refused request never completes") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {.threads = 0, .queue_capacity = 2}, completions.Callback());
  runner.Submit(ShiftRequest(1));
  runner.Submit(ShiftRequest(2));
  CHECK(CodeName(ErrorOf([&] { runner.Submit(ShiftRequest(3)); })) == "RESOURCE_EXHAUSTED");
  runner.Stop();
  CHECK(completions.count() == 2);
  CHECK(completions.Times(3) == 0);
}

TEST_CASE("a more urgent request displaces a waiting one, which completes once and at once") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  constexpr RunnerOptions kFull{.threads = 0, .queue_capacity = 2, .priorities = 3};
  TestRunner runner(session, kFull, completions.Callback());
  for (const std::uint64_t ticket : {1, 2}) {
    Request patient = ShiftRequest(ticket);
    patient.priority = 2;
    runner.Submit(std::move(patient));
  }
  runner.Submit(ShiftRequest(3));
  CHECK(completions.count() == 1);
  CHECK(completions.CodeOf(2) == "RESOURCE_EXHAUSTED");
  runner.Cancel(2);
  runner.Stop();
  CHECK(completions.count() == 3);
  for (const std::uint64_t ticket : {1, 2, 3}) CHECK(completions.Times(ticket) == 1);
}

TEST_CASE("what waits past its deadline makes room in a full queue, and completes at once") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  constexpr RunnerOptions kFull{.threads = 0, .queue_capacity = 2};
  TestRunner runner(session, kFull, completions.Callback());
  Request late = ShiftRequest(1);
  late.deadline = Clock::now();
  runner.Submit(std::move(late));
  runner.Submit(ShiftRequest(2));
  CHECK(completions.count() == 0);
  runner.Submit(ShiftRequest(3));
  CHECK(completions.count() == 1);
  CHECK(completions.CodeOf(1) == "DEADLINE_EXCEEDED");
  runner.Stop();
  CHECK(completions.count() == 3);
  for (const std::uint64_t ticket : {1, 2, 3}) CHECK(completions.Times(ticket) == 1);
}

TEST_CASE("what waits past its deadline completes once it is looked for, though a run goes on") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  constexpr RunnerOptions kFull{.threads = 0, .queue_capacity = 8};
  TestRunner runner(session, kFull, completions.Callback());
  Request late = ShiftRequest(1);
  late.deadline = Clock::now();
  Request later = ShiftRequest(2);
  const auto then = Clock::now() + std::chrono::hours(1);
  later.deadline = then;
  runner.Submit(std::move(late));
  runner.Submit(std::move(later));
  runner.Submit(ShiftRequest(3));
  CHECK(runner.Expire() == then);
  CHECK(completions.count() == 1);
  CHECK(completions.CodeOf(1) == "DEADLINE_EXCEEDED");
  CHECK(runner.Expire() == then);
  CHECK(completions.count() == 1);
  runner.Stop();
  CHECK(runner.Expire() == Clock::time_point::max());
  for (const std::uint64_t ticket : {1, 2, 3}) CHECK(completions.Times(ticket) == 1);
}

TEST_CASE("a run that fails is reported and the runner goes on") {
  Session session(Library(), ModelPath("fails-at-run/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  runner.Submit(ReshapeRequest(1, 3));
  runner.Submit(ReshapeRequest(2, 4));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(1) == "INTERNAL");
  CHECK(Contains(completions.MessageOf(1), "Reshape"));
  CHECK(Answer(completions, 2) == std::vector<float>{1, 1, 1, 1});
}

TEST_CASE("an output that there is not fails that request alone") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  Request wrong = ShiftRequest(1);
  wrong.outputs = {5};
  runner.Submit(std::move(wrong));
  runner.Submit(ShiftRequest(2));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(1) == "INTERNAL");
  CHECK(completions.CodeOf(2) == "");
}

TEST_CASE("stopping completes what waits with UNAVAILABLE, in order, on the stopping thread") {
  Session session(Library(), ModelPath("shift/1"), {});
  std::vector<std::uint64_t> tickets;
  std::vector<std::thread::id> threads;
  TestRunner runner(session, kNoThreads, [&](const std::vector<Completion>& completed) {
    for (const Completion& completion : completed) {
      tickets.push_back(completion.ticket);
      threads.push_back(std::this_thread::get_id());
      CHECK(CodeName(std::get<Error>(completion.outcome)) == "UNAVAILABLE");
    }
  });
  for (std::uint64_t ticket : {3, 1, 2}) runner.Submit(ShiftRequest(ticket));
  runner.Stop();
  CHECK(tickets == std::vector<std::uint64_t>{3, 1, 2});
  CHECK(threads == std::vector<std::thread::id>(3, std::this_thread::get_id()));
}

TEST_CASE("a stopped runner refuses with UNAVAILABLE, and nothing completes") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  runner.Stop();
  CHECK(CodeName(ErrorOf([&] { runner.Submit(ShiftRequest(1)); })) == "UNAVAILABLE");
  CHECK(completions.count() == 0);
}

TEST_CASE("stopping ends a run that would take for ever, with UNAVAILABLE") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  runner.Submit(SlowRequest(1, kEndless));
  WaitUntilARunIsUnderWay();
  runner.Submit(SlowRequest(2, kEndless));
  CHECK(completions.count() == 0);
  runner.Stop();
  CHECK(completions.count() == 2);
  CHECK(completions.CodeOf(1) == "UNAVAILABLE");
  CHECK(completions.CodeOf(2) == "UNAVAILABLE");
}

TEST_CASE("stopping ends a run however early it comes") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  constexpr std::uint64_t kRounds = 2000;
  for (std::uint64_t ticket = 0; ticket < kRounds; ++ticket) {
    TestRunner runner(session, {}, completions.Callback());
    runner.Submit(SlowRequest(ticket, kEndless));
    // Between nothing and 100 µs later, so that it comes while the request waits, is taken, runs.
    const auto then = Clock::now() + std::chrono::nanoseconds(50 * ticket);
    while (Clock::now() < then) continue;
    runner.Stop();
    REQUIRE(completions.count() == ticket + 1);
    REQUIRE(completions.CodeOf(ticket) == "UNAVAILABLE");
  }
}

TEST_CASE("stopping ends the runs of all threads") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  TestRunner runner(session, {.threads = 3, .queue_capacity = 8}, completions.Callback());
  for (std::uint64_t ticket = 0; ticket < 3; ++ticket) {
    runner.Submit(SlowRequest(ticket, kEndless));
  }
  WaitUntilARunIsUnderWay();
  runner.Stop();
  REQUIRE(completions.count() == 3);
  for (std::uint64_t ticket = 0; ticket < 3; ++ticket) {
    CHECK(completions.CodeOf(ticket) == "UNAVAILABLE");
  }
}

TEST_CASE("a session runs on after its runner stopped in the middle of a run") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions first;
  Completions second;
  {
    TestRunner runner(session, {}, first.Callback());
    runner.Submit(SlowRequest(1, kEndless));
    WaitUntilARunIsUnderWay();
  }
  CHECK(first.CodeOf(1) == "UNAVAILABLE");
  TestRunner runner(session, {}, second.Callback());
  runner.Submit(SlowRequest(2, 3));
  REQUIRE(second.WaitFor(1));
  CHECK(Answer(second, 2) == std::vector<float>{3.5F});
}

TEST_CASE("several threads may stop a runner, each returns when all has completed") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  TestRunner runner(session, {.threads = 2, .queue_capacity = 8}, completions.Callback());
  runner.Submit(SlowRequest(1, kEndless));
  runner.Submit(SlowRequest(2, kEndless));
  WaitUntilARunIsUnderWay();
  std::atomic<int> saw_all = 0;
  std::vector<std::thread> stoppers;
  for (int i = 0; i < 4; ++i) {
    stoppers.emplace_back([&] {
      runner.Stop();
      if (completions.count() == 2) ++saw_all;
    });
  }
  for (std::thread& stopper : stoppers) stopper.join();
  runner.Stop();
  CHECK(saw_all == 4);
  CHECK(completions.count() == 2);
}

TEST_CASE("what many threads submit while it stops completes exactly once, or was refused") {
  Session session(Library(), ModelPath("shift/1"), {});
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kMost = 20'000;
  for (int round = 0; round < 5; ++round) {
    Completions completions;
    TestRunner runner(session, {.threads = 2, .queue_capacity = 64}, completions.Callback());
    std::vector<std::vector<std::uint64_t>> accepted(kThreads);
    std::vector<std::string> last_refusal(kThreads);
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < kMost && last_refusal[t] != "UNAVAILABLE"; ++i) {
          const std::uint64_t ticket = t * kMost + i;
          try {
            runner.Submit(ShiftRequest(ticket));
            accepted[t].push_back(ticket);
          } catch (const Error& error) {
            last_refusal[t] = CodeName(error);
          }
        }
      });
    }
    REQUIRE(completions.WaitFor(100));
    runner.Stop();
    for (std::thread& thread : threads) thread.join();
    std::size_t total = 0;
    for (const auto& tickets : accepted) {
      total += tickets.size();
      for (const std::uint64_t ticket : tickets) {
        REQUIRE(completions.Times(ticket) == 1);
        const std::string code = completions.CodeOf(ticket);
        REQUIRE((code.empty() || code == "UNAVAILABLE"));
      }
    }
    CHECK(completions.count() == total);
  }
}

TEST_CASE("destroying a runner stops it") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  {
    TestRunner runner(session, {}, completions.Callback());
    for (std::uint64_t ticket = 0; ticket < 5; ++ticket) {
      runner.Submit(SlowRequest(ticket, kEndless));
    }
  }
  REQUIRE(completions.count() == 5);
  for (std::uint64_t ticket = 0; ticket < 5; ++ticket) {
    CHECK(completions.CodeOf(ticket) == "UNAVAILABLE");
  }
}

}  // namespace warmswap::test
