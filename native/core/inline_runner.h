#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/executor.h"
#include "core/ort.h"
#include "core/request.h"
#include "core/run_result.h"

namespace warmswap {

/// Runs requests at once, on the calling thread, for models whose runs are shorter than the way to
/// a runner thread and back. Not thread-safe. Nothing of it can be cancelled.
class InlineRunner {
 public:
  /// Up to `max_batch` rows run together. The executor must outlive it.
  InlineRunner(Executor& executor, std::size_t max_batch)
      : executor_(executor), max_batch_(max_batch) {}

  /// Every request completes exactly once, in their order but for those past their deadline, which
  /// come first. Does not throw.
  std::vector<Completion> Run(std::vector<Request> requests);
  Completion RunOne(Request request);

 private:
  std::span<Request> LeadingBatch(std::span<Request> requests) const;
  void RunTogether(std::span<Request> batch, std::vector<Completion>& done);
  RunOutcome OutcomeOf(const Request& request);

  Executor& executor_;
  const std::size_t max_batch_;
  Ort::RunOptions options_;
};

}  // namespace warmswap
