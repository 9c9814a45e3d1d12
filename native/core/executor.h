#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/buffer_pool.h"
#include "core/execution_policy.h"
#include "core/request.h"
#include "core/run_result.h"
#include "core/session.h"
#include "core/statistics.h"

namespace warmswap {

/// Runs requests of one session on the calling thread, and counts what it does. Thread-safe.
class Executor {
 public:
  /// The session must outlive it.
  Executor(Session& session, Execution execution, std::shared_ptr<BufferPool> pool)
      : session_(session), policy_(execution), pool_(std::move(pool)) {}

  /// Runs requests that fit together as one; `taken` is when they left the queue. Gives a result
  /// for each. Throws what ONNX Runtime reports, and then no request has been answered.
  std::vector<RunResult> Run(const Ort::RunOptions& options, std::span<const Request> requests,
                             Clock::time_point taken);

  /// Ends a request: frees its inputs, counts the outcome.
  Completion Complete(Request& request, RunOutcome outcome);

  /// Counts a request that failed before it was queued.
  void CountRefused(ErrorCode code) noexcept { statistics_.CountFailure(code); }

  const ExecutionPolicy& policy() const noexcept { return policy_; }
  StatisticsSnapshot ReadStatistics() const noexcept { return statistics_.Read(); }

 private:
  void CountSuccess(const Request& request, const RunResult& result);

  Session& session_;
  ExecutionPolicy policy_;
  const std::shared_ptr<BufferPool> pool_;
  Statistics statistics_;
};

}  // namespace warmswap
