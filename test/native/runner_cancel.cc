#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/runner.h"
#include "core/session.h"
#include "support.h"

namespace warmswap::test {
namespace {}  // namespace

TEST_CASE("a cancelled request that waits completes at once, the others run") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {.threads = 0, .queue_capacity = 2}, completions.Callback());
  runner.Submit(ShiftRequest(1));
  runner.Submit(ShiftRequest(2));
  runner.Cancel(1);
  CHECK(completions.count() == 1);
  CHECK(completions.CodeOf(1) == "CANCELLED");
  runner.Submit(ShiftRequest(3));
  runner.Stop();
  CHECK(completions.count() == 3);
  CHECK(completions.CodeOf(2) == "UNAVAILABLE");
}

TEST_CASE("cancelling ends a run that would take for ever, and the runner goes on") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  runner.Submit(SlowRequest(1, kEndless));
  WaitUntilARunIsUnderWay();
  runner.Cancel(1);
  REQUIRE(completions.WaitFor(1));
  CHECK(completions.CodeOf(1) == "CANCELLED");
  runner.Submit(SlowRequest(2, 3));
  REQUIRE(completions.WaitFor(2));
  CHECK(completions.CodeOf(2) == "");
}

TEST_CASE("cancelling what is unknown or has completed does nothing") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  TestRunner runner(session, {}, completions.Callback());
  runner.Cancel(1);
  runner.Submit(ShiftRequest(1));
  REQUIRE(completions.WaitFor(1));
  runner.Cancel(1);
  CHECK(completions.CodeOf(1) == "");
  CHECK(completions.count() == 1);
}

TEST_CASE("cancelling ends a run however early it comes, and completes it exactly once") {
  Session session(Library(), ModelPath("slow/1"), {});
  Completions completions;
  TestRunner runner(session, {.threads = 2}, completions.Callback());
  constexpr std::uint64_t kRounds = 1000;
  for (std::uint64_t ticket = 0; ticket < kRounds; ++ticket) {
    runner.Submit(SlowRequest(ticket, kEndless));
    const auto then = Clock::now() + std::chrono::nanoseconds(100 * ticket);
    while (Clock::now() < then) continue;
    runner.Cancel(ticket);
    REQUIRE(completions.WaitFor(ticket + 1));
    REQUIRE(completions.CodeOf(ticket) == "CANCELLED");
  }
  runner.Stop();
  CHECK(completions.count() == kRounds);
}

TEST_CASE("what is cancelled while many run completes exactly once") {
  Session session(Library(), ModelPath("shift/1"), {});
  Completions completions;
  constexpr std::uint64_t kRequests = 4000;
  TestRunner runner(session, {.threads = 2, .queue_capacity = kRequests, .max_batch = 8},
                    completions.Callback());
  std::thread canceller([&] {
    for (std::uint64_t ticket = 0; ticket < kRequests; ticket += 3) runner.Cancel(ticket);
  });
  for (std::uint64_t ticket = 0; ticket < kRequests; ++ticket) {
    runner.Submit(ShiftRequest(ticket));
    if (ticket % 5 == 0) runner.Cancel(ticket);
  }
  canceller.join();
  REQUIRE(completions.WaitFor(kRequests));
  runner.Stop();
  CHECK(completions.count() == kRequests);
  for (std::uint64_t ticket = 0; ticket < kRequests; ++ticket) {
    REQUIRE(completions.Times(ticket) == 1);
    const std::string code = completions.CodeOf(ticket);
    REQUIRE((code.empty() || code == "CANCELLED"));
  }
}

TEST_CASE("more urgent requests run first") {
  Session session(Library(), ModelPath("slow/1"), {});
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  Completions completions;
  const auto keep = completions.Callback();
  TestRunner runner(session, {.priorities = 3}, [&](std::vector<Completion> completed) {
    {
      const std::lock_guard lock(mutex);
      for (const Completion& completion : completed) order.push_back(completion.ticket);
    }
    keep(std::move(completed));
  });
  runner.Submit(SlowRequest(1, kEndless));
  WaitUntilARunIsUnderWay();
  for (const auto& [ticket, priority] : {std::pair{2, 2}, {3, 1}, {4, 0}, {5, 2}, {6, 0}}) {
    Request request = SlowRequest(static_cast<std::uint64_t>(ticket), 1);
    request.priority = static_cast<std::size_t>(priority);
    runner.Submit(std::move(request));
  }
  runner.Cancel(1);
  REQUIRE(completions.WaitFor(6));
  CHECK(order == std::vector<std::uint64_t>{1, 4, 6, 3, 2, 5});
}

}  // namespace warmswap::test
