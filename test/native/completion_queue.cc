#include "core/completion_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "support.h"

namespace warmswap::test {

TEST_CASE("all that piles up is one wake-up") {
  int wakes = 0;
  CompletionQueue<int> queue([&] { ++wakes; });
  for (int i = 0; i < 5; ++i) queue.Push(i);
  CHECK(wakes == 1);
  CHECK(queue.TakeAll() == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(queue.TakeAll().empty());
  CHECK(wakes == 1);
}

TEST_CASE("what comes after all was taken wakes again") {
  int wakes = 0;
  CompletionQueue<int> queue([&] { ++wakes; });
  queue.Push(1);
  queue.TakeAll();
  queue.Push(2);
  CHECK(wakes == 2);
  CHECK(queue.TakeAll() == std::vector<int>{2});
}

TEST_CASE("items need only be movable") {
  CompletionQueue<std::unique_ptr<int>> queue([] {});
  queue.Push(std::make_unique<int>(7));
  CHECK(*queue.TakeAll().at(0) == 7);
}

TEST_CASE("a closed queue keeps items and never wakes") {
  int wakes = 0;
  CompletionQueue<int> queue([&] { ++wakes; });
  queue.Push(1);
  queue.Close();
  queue.Close();
  queue.TakeAll();
  queue.Push(2);
  CHECK(wakes == 1);
  CHECK(queue.TakeAll() == std::vector<int>{2});
}

TEST_CASE("closing waits for a wake-up that is under way") {
  Event waking;
  Event closing;
  std::atomic<bool> woken = false;
  CompletionQueue<int> queue([&] {
    waking.Set();
    static_cast<void>(closing.Wait());
    woken = true;
  });
  std::thread producer([&] { queue.Push(1); });
  REQUIRE(waking.Wait());
  closing.Set();
  queue.Close();
  CHECK(woken);
  producer.join();
}

TEST_CASE("taking does not wait for a wake-up that is under way") {
  Event waking;
  Event taken;
  std::atomic<bool> in_time = false;
  CompletionQueue<int> queue([&] {
    waking.Set();
    in_time = taken.Wait();
  });
  std::thread producer([&] { queue.Push(1); });
  REQUIRE(waking.Wait());
  CHECK(queue.TakeAll() == std::vector<int>{1});
  taken.Set();
  producer.join();
  CHECK(in_time);
}

TEST_CASE("a consumer that sleeps between wake-ups gets every item of many producers once") {
  constexpr int kProducers = 4;
  constexpr int kEach = 2000;
  std::mutex mutex;
  std::condition_variable woken;
  int wakes = 0;
  CompletionQueue<int> queue([&] {
    const std::lock_guard lock(mutex);
    ++wakes;
    woken.notify_one();
  });
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (int i = 0; i < kEach; ++i) queue.Push(p * kEach + i);
    });
  }
  std::vector<int> all;
  int answered = 0;
  while (all.size() < kProducers * kEach) {
    {
      std::unique_lock lock(mutex);
      REQUIRE(woken.wait_for(lock, kPatience, [&] { return wakes > answered; }));
      answered = wakes;
    }
    const std::vector<int> taken = queue.TakeAll();
    all.insert(all.end(), taken.begin(), taken.end());
  }
  for (std::thread& producer : producers) producer.join();
  std::ranges::sort(all);
  std::vector<int> expected(kProducers * kEach);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(all == expected);
}

}  // namespace warmswap::test
