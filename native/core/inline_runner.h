#pragma once

#include "core/answer_sink.h"
#include "core/executor.h"
#include "core/gathered_batch.h"
#include "core/ort.h"

namespace warmswap {

/// Runs requests at once, on the calling thread, for models whose runs are shorter than the way to
/// a runner thread and back. Not thread-safe. Nothing of it can be cancelled.
class InlineRunner {
 public:
  /// The executor must outlive it.
  explicit InlineRunner(Executor& executor) : executor_(executor) {}

  /// Every member completes exactly once, in their order but for those past their deadline at
  /// `now`, which come first. If the run fails each one runs alone. Throws what the sink throws,
  /// and then those behind do not complete.
  void Run(GatheredBatch& batch, Clock::time_point now, AnswerSink& sink);

 private:
  RunOutcome OutcomeOf(const GatheredBatch& batch);
  void Answer(const GatheredBatch& batch, RunResult result, Clock::time_point taken,
              AnswerSink& sink);
  void RunEachAlone(const GatheredBatch& batch, Clock::time_point now, AnswerSink& sink);
  void Fail(std::uint64_t ticket, const Error& error, AnswerSink& sink);

  Executor& executor_;
  Ort::RunOptions options_;
  KeptRun kept_;
};

}  // namespace warmswap
