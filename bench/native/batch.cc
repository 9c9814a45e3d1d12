#include "core/batch.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "allocations.h"
#include "cases.h"
#include "core/answer_format.h"
#include "core/executor.h"
#include "requests.h"

// Requests of one row each: their inputs into one tensor; its answer into one frame for each.

namespace warmswap::bench {
namespace {

std::vector<Request> MakeRequests(const ModelName& name, std::int64_t count, BlockPool& pool) {
  std::vector<Request> requests;
  for (std::int64_t i = 0; i < count; ++i) {
    requests.push_back(MakeRequest(name, 1, static_cast<std::uint64_t>(i), pool));
  }
  return requests;
}

void Gather(benchmark::State& state, Models& models, const ModelName& name) {
  BlockPool& pool = models.library().blocks();
  const std::vector<Request> requests = MakeRequests(name, state.range(0), pool);
  const AllocationReport report(state);
  for (auto _ : state) benchmark::DoNotOptimize(JoinInputs(requests, pool));
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

void Scatter(benchmark::State& state, Models& models, const ModelName& name, DeviceKind device) {
  BlockPool& pool = models.library().blocks();
  const LoadRoute route = LoadRoute::kArtifact;
  const auto session = std::make_shared<Session>(models.library(), models.File(name, route),
                                                 OptionsFor(device, route));
  const TensorSpec* const y = &session->outputs().front();
  const AnswerFormat format(std::string(name.folder), 1, {&y, 1});
  const std::vector<Request> requests = MakeRequests(name, state.range(0), pool);
  const std::vector<RunResult> results =
      Executor(session, Execution::kInline, pool).Run(Ort::RunOptions(), requests, Clock::now());
  std::vector<std::byte> answer(format.MaxSize(results.front()));
  const AllocationReport report(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(AssignRows(*results.front().outputs, requests));
    for (const RunResult& result : results) {
      benchmark::DoNotOptimize(format.Write(answer.data(), 1, result));
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

void AddRows(auto* registered) {
  registered->ArgName("rows")->Arg(2)->Arg(8)->Arg(32)->UseRealTime();
}

}  // namespace

void RegisterBatch(Models& models, DeviceKind device) {
  const auto gather = [&models](benchmark::State& state) { Gather(state, models, kMid); };
  const auto scatter = [&models, device](benchmark::State& state) {
    Scatter(state, models, kMid, device);
  };
  AddRows(benchmark::RegisterBenchmark(CaseName("batch/gather", device, kMid).c_str(), gather));
  AddRows(benchmark::RegisterBenchmark(CaseName("batch/scatter", device, kMid).c_str(), scatter));
}

}  // namespace warmswap::bench
