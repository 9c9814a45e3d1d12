#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>

#include "allocations.h"
#include "cases.h"
#include "core/request_queue.h"

// A burst of requests to another thread, which sleeps meanwhile, and one back when it has them all:
// two wake-ups.

namespace warmswap::bench {
namespace {

constexpr std::size_t kCapacity = 1024;

/// Takes requests on a thread of its own and gives back the last of each burst.
class OtherSide {
 public:
  explicit OtherSide(std::int64_t burst) : thread_([this, burst] { Work(burst); }) {}
  OtherSide(const OtherSide&) = delete;
  OtherSide& operator=(const OtherSide&) = delete;
  ~OtherSide() {
    there_.Close();
    thread_.join();
  }

  RequestQueue& there() { return there_; }
  RequestQueue& back() { return back_; }

 private:
  void Work(std::int64_t burst) {
    std::int64_t taken = 0;
    while (std::optional<Request> request = there_.Pop()) {
      if (++taken % burst != 0) continue;
      back_.Push(std::move(*request));
      back_.Wake();
    }
  }

  RequestQueue there_{kCapacity};
  RequestQueue back_{kCapacity};
  std::thread thread_;
};

void HandOver(benchmark::State& state) {
  const std::int64_t burst = state.range(0);
  OtherSide other(burst);
  const AllocationReport report(state);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < burst; ++i) other.there().Push(Request{});
    other.there().Wake();
    benchmark::DoNotOptimize(other.back().Pop());
  }
  state.SetItemsProcessed(burst * state.iterations());
}

}  // namespace

void RegisterQueueHandOver() {
  benchmark::RegisterBenchmark("queue/there_and_back", HandOver)
      ->ArgName("burst")
      ->Arg(1)
      ->Arg(8)
      ->Arg(32)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace warmswap::bench
