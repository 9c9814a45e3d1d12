#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "allocations.h"
#include "cases.h"
#include "lane_client.h"
#include "requests.h"
#include "routes.h"

// The commit of a swap in the lane: a new route table, and the first request after it.

namespace warmswap::bench {
namespace {

/// Inline where that can be, so that there is nothing else to see.
Execution ExecutionFor(const Models& models) {
  return models.device() == DeviceKind::kCpu ? Execution::kInline : Execution::kThreaded;
}

void Flip(benchmark::State& state, Models& models) {
  const auto others = static_cast<std::size_t>(state.range(0));
  LaneClient client;
  const std::shared_ptr<Model> model =
      models.Load(kTiny, LoadRoute::kArtifact, ExecutionFor(models), client.Callback());
  const std::vector<Route> routes = RoutesTo(kTiny, 1, model, others);
  const AllocationReport report(state);
  for (auto _ : state) client.SetRoutes(RouteTable(routes));
}

/// Compare with infer/inline and flip/routes.
void FlipThenInfer(benchmark::State& state, Models& models) {
  const auto others = static_cast<std::size_t>(state.range(0));
  LaneClient client;
  const auto load = [&] {
    return models.Load(kTiny, LoadRoute::kArtifact, ExecutionFor(models), client.Callback());
  };
  const std::shared_ptr<Model> old_model = load();
  const std::shared_ptr<Model> new_model = load();
  const std::vector<Route> old_routes = RoutesTo(kTiny, 1, old_model, others);
  const std::vector<Route> new_routes = RoutesTo(kTiny, 2, new_model, others);
  const std::vector<std::byte> frame = MakeFrame(kTiny, 1);
  bool is_new = false;
  const AllocationReport report(state);
  for (auto _ : state) {
    is_new = !is_new;
    client.SetRoutes(RouteTable(is_new ? new_routes : old_routes));
    benchmark::DoNotOptimize(client.Infer(frame));
  }
}

void AddRoutes(auto* registered) {
  registered->ArgName("other_models")
      ->Arg(0)
      ->Arg(100)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void RegisterFlip(Models& models) {
  const auto flip = [&models](benchmark::State& state) { Flip(state, models); };
  const auto infer = [&models](benchmark::State& state) { FlipThenInfer(state, models); };
  AddRoutes(benchmark::RegisterBenchmark(CaseName("flip/routes", models, kTiny).c_str(), flip));
  AddRoutes(
      benchmark::RegisterBenchmark(CaseName("flip/then_infer", models, kTiny).c_str(), infer));
}

}  // namespace warmswap::bench
