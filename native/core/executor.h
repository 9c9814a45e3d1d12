#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/execution_policy.h"
#include "core/pooled_buffer.h"
#include "core/request.h"
#include "core/run_result.h"
#include "core/session.h"
#include "core/statistics.h"

namespace warmswap {

/// Runs requests of one session on the calling thread, and counts what it does. Thread-safe.
class Executor {
 public:
  /// Joined inputs lie in memory of `pool`. It and the session must outlive this.
  Executor(Session& session, Execution execution, BlockPool& pool)
      : session_(session), policy_(execution), pool_(pool) {}

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
  BlockPool& pool_;
  Statistics statistics_;
};

}  // namespace warmswap
