#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/execution_policy.h"
#include "core/gathered_batch.h"
#include "core/kept_run.h"
#include "core/pooled_buffer.h"
#include "core/request.h"
#include "core/run_result.h"
#include "core/session.h"
#include "core/statistics.h"

namespace warmswap {

/// Runs requests of one session on the calling thread, and counts what it does. Thread-safe.
class Executor {
 public:
  /// Joined inputs lie in memory of `pool`, which must outlive this.
  Executor(std::shared_ptr<Session> session, Execution execution, MemoryPool& pool)
      : policy_(execution), pool_(pool), session_(std::move(session)) {}

  /// Runs from now on use this session; those under way end with the one that they began with.
  void Replace(std::shared_ptr<Session> session);

  /// Runs requests that fit together as one; `taken` is when they left the queue. Gives a result
  /// for each. Throws what ONNX Runtime reports, and then no request has been answered.
  std::vector<RunResult> Run(Ort::RunOptions& options, std::span<const Request> requests,
                             Clock::time_point taken);

  /// The same for a gathered batch; its results are one but for `rows` and `queued`, which are left
  /// out.
  RunResult Run(Ort::RunOptions& options, const GatheredBatch& batch, KeptRun& kept);

  /// Counts all members of a batch that has run, and that was taken to be run at `taken`.
  void CountSuccess(const GatheredBatch& batch, const RunResult& result, Clock::time_point taken);

  /// Ends a request: frees its inputs, counts the outcome.
  Completion Complete(Request& request, RunOutcome outcome);

  /// Counts a request that failed otherwise.
  void CountRefused(ErrorCode code) noexcept { statistics_.CountFailure(code); }

  const ExecutionPolicy& policy() const noexcept { return policy_; }
  StatisticsSnapshot ReadStatistics() const noexcept { return statistics_.Read(); }

 private:
  void CountSuccess(const Request& request, const RunResult& result);
  std::shared_ptr<Session> session();

  ExecutionPolicy policy_;
  MemoryPool& pool_;
  Statistics statistics_;
  std::mutex session_mutex_;
  std::shared_ptr<Session> session_;
};

}  // namespace warmswap
