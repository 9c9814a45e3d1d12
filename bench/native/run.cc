#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "allocations.h"
#include "cases.h"
#include "requests.h"

// ONNX Runtime's run alone, one thread, by rows.

namespace warmswap::bench {
namespace {

void Run(benchmark::State& state, Models& models, const ModelName& name) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const std::shared_ptr<Session> session = models.LoadSession(name, LoadRoute::kArtifact);
  const std::array inputs{MakeInput(name, rows, models.memory())};
  const std::vector<Ort::Value> values = ToOrtValues(inputs);
  const std::array<std::size_t, 1> outputs{0};
  const auto run = [&] {
    Ort::RunOptions options;  // each run has its own
    return session->Run(options, values, outputs);
  };
  run();
  const AllocationReport report(state);
  for (auto _ : state) benchmark::DoNotOptimize(run());
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

}  // namespace

void RegisterRun(Models& models) {
  for (const ModelName& name : {kTiny, kMid}) {
    benchmark::RegisterBenchmark(
        CaseName("run", models, name).c_str(),
        [&models, name](benchmark::State& state) { Run(state, models, name); })
        ->ArgName("rows")
        ->RangeMultiplier(2)
        ->Range(1, 32)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace warmswap::bench
