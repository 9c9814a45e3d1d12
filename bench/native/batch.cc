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

std::vector<Request> MakeRequests(const ModelName& name, std::int64_t count, MemoryPool& pool) {
  std::vector<Request> requests;
  for (std::int64_t i = 0; i < count; ++i) {
    requests.push_back(MakeRequest(name, 1, static_cast<std::uint64_t>(i), pool));
  }
  return requests;
}

void Gather(benchmark::State& state, Models& models, const ModelName& name) {
  MemoryPool& pool = models.memory();
  const std::vector<Request> requests = MakeRequests(name, state.range(0), pool);
  const AllocationReport report(state);
  for (auto _ : state) benchmark::DoNotOptimize(JoinInputs(requests, pool));
  state.SetItemsProcessed(state.range(0) * state.iterations());
}

void Scatter(benchmark::State& state, Models& models, const ModelName& name) {
  MemoryPool& pool = models.memory();
  const std::shared_ptr<Session> session = models.LoadSession(name, LoadRoute::kArtifact);
  const TensorSpec* const y = &session->outputs().front();
  const AnswerFormat format(std::string(name.folder), 1, {&y, 1});
  const std::vector<Request> requests = MakeRequests(name, state.range(0), pool);
  Ort::RunOptions options;
  const std::vector<RunResult> results =
      Executor(session, Execution::kInline, pool).Run(options, requests, Clock::now());
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

void RegisterBatch(Models& models) {
  const auto gather = [&models](benchmark::State& state) { Gather(state, models, kMid); };
  const auto scatter = [&models](benchmark::State& state) { Scatter(state, models, kMid); };
  AddRows(benchmark::RegisterBenchmark(CaseName("batch/gather", models, kMid).c_str(), gather));
  AddRows(benchmark::RegisterBenchmark(CaseName("batch/scatter", models, kMid).c_str(), scatter));
}

}  // namespace warmswap::bench
