#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "allocations.h"
#include "cases.h"
#include "lane_client.h"
#include "requests.h"
#include "routes.h"

// A frame in, a result out: on the thread that asks, and by way of a runner thread.

namespace warmswap::bench {
namespace {

void Infer(benchmark::State& state, Models& models, const ModelName& name, Execution execution) {
  LaneClient client;
  const std::shared_ptr<Model> model =
      models.Load(name, LoadRoute::kArtifact, execution, client.Callback());
  client.SetRoutes(RouteTable({RouteTo(name, 1, model)}));
  const std::vector<std::byte> frame = MakeFrame(name, 1);
  client.Infer(frame);
  const AllocationReport report(state);
  for (auto _ : state) benchmark::DoNotOptimize(client.Infer(frame));
}

void Register(const char* what, Execution execution, Models& models, const ModelName& name) {
  const auto body = [&models, name, execution](benchmark::State& state) {
    Infer(state, models, name, execution);
  };
  benchmark::RegisterBenchmark(CaseName(what, models, name).c_str(), body)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void RegisterExecution(Models& models) {
  for (const ModelName& name : {kTiny, kMid}) {
    // Nobody waits for a GPU on the thread that asks.
    if (models.device() == DeviceKind::kCpu) {
      Register("infer/inline", Execution::kInline, models, name);
    }
    Register("infer/threaded", Execution::kThreaded, models, name);
  }
}

}  // namespace warmswap::bench
