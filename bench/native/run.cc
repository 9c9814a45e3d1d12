#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "allocations.h"
#include "cases.h"
#include "core/session.h"
#include "requests.h"

// ONNX Runtime's run alone, one thread, by rows.

namespace warmswap::bench {
namespace {

void Run(benchmark::State& state, Models& models, const ModelName& name, DeviceKind device) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const LoadRoute route = LoadRoute::kArtifact;
  Session session(models.library(), models.File(name, route), OptionsFor(device, route));
  const std::array inputs{MakeInput(name, rows, models.library().blocks())};
  const std::vector<Ort::Value> values = ToOrtValues(inputs);
  const Ort::RunOptions options;
  const std::array<std::size_t, 1> outputs{0};
  session.Run(options, values, outputs);
  const AllocationReport report(state);
  for (auto _ : state) benchmark::DoNotOptimize(session.Run(options, values, outputs));
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

}  // namespace

void RegisterRun(Models& models, DeviceKind device) {
  for (const ModelName& name : {kTiny, kMid}) {
    benchmark::RegisterBenchmark(
        CaseName("run", device, name).c_str(),
        [&models, name, device](benchmark::State& state) { Run(state, models, name, device); })
        ->ArgName("rows")
        ->RangeMultiplier(2)
        ->Range(1, 32)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace warmswap::bench
