#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "allocations.h"
#include "cases.h"
#include "core/in_flight.h"
#include "core/infer_frame.h"
#include "requests.h"
#include "routes.h"

// What holds a version while a request needs it: found by its route and kept alive until it is
// given back; and a runner thread's entry for the request, by which it is cancelled.

namespace warmswap::bench {
namespace {

/// The frame is read already.
void HoldVersion(benchmark::State& state, Models& models) {
  const std::shared_ptr<Model> model =
      models.Load(kTiny, LoadRoute::kArtifact, Execution::kThreaded, [](auto) {});
  const auto others = static_cast<std::size_t>(state.range(0));
  const RouteTable table(RoutesTo(kTiny, 1, model, others));
  const std::vector<std::byte> bytes = MakeFrame(kTiny, 1);
  const std::optional<InferFrame> frame = ParseInferFrame(bytes);
  if (!frame) return state.SkipWithError("the frame is not a plain request");
  const AllocationReport report(state);
  for (auto _ : state) {
    const std::optional<std::size_t> index = table.Find(*frame);
    const std::shared_ptr<Model> held = table.at(*index).target.lock();
    benchmark::DoNotOptimize(held.get());
  }
}

/// Each thread with requests of its own.
void EnterAndLeave(benchmark::State& state) {
  static InFlight in_flight;
  const auto ticket = static_cast<std::uint64_t>(state.thread_index());
  for (auto _ : state) {
    in_flight.Take(ticket);
    benchmark::DoNotOptimize(in_flight.Finish(ticket));
  }
}

}  // namespace

void RegisterInFlight() {
  benchmark::RegisterBenchmark("lease/in_flight", EnterAndLeave)->ThreadRange(1, 4)->UseRealTime();
}

void RegisterLeases(Models& models) {
  const auto hold = [&models](benchmark::State& state) { HoldVersion(state, models); };
  benchmark::RegisterBenchmark(CaseName("lease/version", models, kTiny).c_str(), hold)
      ->ArgName("other_models")
      ->Arg(0)
      ->Arg(100)
      ->UseRealTime();
}

}  // namespace warmswap::bench
