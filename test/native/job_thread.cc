#include "core/job_thread.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support.h"

namespace warmswap::test {

TEST_CASE("jobs run in the order in which they were posted, on a thread of their own") {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  Event done;
  JobThread jobs;
  for (int i = 0; i < 5; ++i) {
    jobs.Post([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    });
  }
  jobs.Post([&] { done.Set(); });
  REQUIRE(done.Wait());
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
  for (const auto& thread : threads) {
    CHECK(thread == threads[0]);
    CHECK(thread != std::this_thread::get_id());
  }
}

TEST_CASE("a job may post another") {
  Event done;
  JobThread jobs;
  jobs.Post([&] { jobs.Post([&] { done.Set(); }); });
  CHECK(done.Wait());
}

TEST_CASE("it tells once that it has had nothing to do since its start or its last job") {
  using namespace std::chrono_literals;
  std::atomic<int> rests = 0;
  std::atomic<int> rests_before_job = 0;
  JobThread jobs({1ms, [&] { ++rests; }});
  REQUIRE(WaitUntil([&] { return rests > 0; }));
  jobs.Post([&] { rests_before_job = rests.load(); });
  REQUIRE(WaitUntil([&] { return rests > 1; }));
  jobs.Stop();
  CHECK(rests_before_job == 1);
  CHECK(rests == 2);
}

TEST_CASE("it tells of no rest when it is stopped before") {
  using namespace std::chrono_literals;
  Event done;
  std::atomic<int> rests = 0;
  JobThread jobs({1h, [&] { ++rests; }});
  jobs.Post([&] { done.Set(); });
  REQUIRE(done.Wait());
  jobs.Stop();
  CHECK(rests == 0);
}

TEST_CASE("stopping waits for the job that runs and drops the others") {
  Event running;
  std::atomic<bool> finished = false;
  std::atomic<bool> second_ran = false;
  JobThread jobs;
  // A job that is dropped at once lets go of what it holds at once.
  const auto is_stopped = [&jobs] {
    const auto held = std::make_shared<int>(0);
    jobs.Post([held] {});
    return held.use_count() == 1;
  };
  jobs.Post([&] {
    running.Set();
    finished = WaitUntil(is_stopped);
  });
  jobs.Post([&] { second_ran = true; });
  REQUIRE(running.Wait());
  jobs.Stop();
  CHECK(finished);
  CHECK_FALSE(second_ran);
}

TEST_CASE("stopping cancels the job that runs, and no other") {
  Event running;
  Event cancelled;
  std::atomic<int> others = 0;
  JobThread jobs;
  jobs.Post([] {}, [&] { ++others; });
  jobs.Post(
      [&] {
        running.Set();
        static_cast<void>(cancelled.Wait());
      },
      [&] { cancelled.Set(); });
  jobs.Post([] {}, [&] { ++others; });
  REQUIRE(running.Wait());
  jobs.Stop();
  CHECK(cancelled.Wait());
  CHECK(others == 0);
}

TEST_CASE("what is posted after stopping never runs") {
  std::atomic<bool> ran = false;
  {
    JobThread jobs;
    jobs.Stop();
    jobs.Post([&] { ran = true; });
  }
  CHECK_FALSE(ran);
}

TEST_CASE("several threads may stop it, each returns when the job has ended") {
  Event running;
  Event let_go;
  std::atomic<bool> finished = false;
  JobThread jobs;
  jobs.Post([&] {
    running.Set();
    static_cast<void>(let_go.Wait());
    finished = true;
  });
  REQUIRE(running.Wait());
  std::atomic<int> saw_it_finished = 0;
  std::vector<std::thread> stoppers;
  for (int i = 0; i < 3; ++i) {
    stoppers.emplace_back([&] {
      jobs.Stop();
      if (finished) ++saw_it_finished;
    });
  }
  let_go.Set();
  for (std::thread& stopper : stoppers) stopper.join();
  jobs.Stop();
  CHECK(saw_it_finished == 3);
}

TEST_CASE("jobs are released with what they hold, run or dropped") {
  const auto held = std::make_shared<int>(0);
  {
    Event running;
    Event let_go;
    JobThread jobs;
    jobs.Post([&, held] {
      running.Set();
      static_cast<void>(let_go.Wait());
    });
    jobs.Post([held] {});
    REQUIRE(running.Wait());
    CHECK(held.use_count() == 3);
    let_go.Set();
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("a job that has run is released before the next one starts") {
  const auto held = std::make_shared<int>(0);
  Event done;
  long holders = 0;
  JobThread jobs;
  jobs.Post([held] {});
  jobs.Post([&] {
    holders = held.use_count();
    done.Set();
  });
  REQUIRE(done.Wait());
  CHECK(holders == 1);
}

}  // namespace warmswap::test
