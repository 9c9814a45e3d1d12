#include "core/inline_runner.h"

#include <utility>
#include <variant>

#include "core/request_errors.h"

namespace warmswap {

void InlineRunner::Run(GatheredBatch& batch, Clock::time_point now, AnswerSink& sink) {
  batch.DropLate(now,
                 [&](const GatheredBatch::Member& late) { Fail(late.ticket, TooLate(), sink); });
  if (batch.empty()) return;
  RunOutcome outcome = OutcomeOf(batch);
  if (auto* result = std::get_if<RunResult>(&outcome)) {
    Answer(batch, std::move(*result), now, sink);
  } else if (batch.members().size() == 1) {
    Fail(batch.members().front().ticket, std::get<Error>(outcome), sink);
  } else {
    RunEachAlone(batch, now, sink);
  }
}

RunOutcome InlineRunner::OutcomeOf(const GatheredBatch& batch) {
  try {
    return executor_.Run(options_, batch, kept_);
  } catch (...) {
    return CurrentExceptionAsError();
  }
}

void InlineRunner::Answer(const GatheredBatch& batch, RunResult result, Clock::time_point taken,
                          AnswerSink& sink) {
  executor_.CountSuccess(batch, result, taken);
  const bool is_alone = batch.members().size() == 1;
  std::size_t first_row = 0;
  Reply reply;
  for (const GatheredBatch::Member& member : batch.members()) {
    const auto& format = batch.formats()[member.format];
    if (reply.format != format) reply.format = format;
    reply.msgid = member.msgid;
    result.queued = taken - member.queued_at;
    if (!is_alone) result.rows = RowRange{first_row, member.rows};
    first_row += member.rows;
    sink.OnResult(member.ticket, reply, result);
  }
}

// Whose fault it was, and whether it was one at all, shows when each runs alone.
void InlineRunner::RunEachAlone(const GatheredBatch& batch, Clock::time_point now,
                                AnswerSink& sink) {
  for (std::size_t i = 0; i < batch.members().size(); ++i) {
    GatheredBatch alone = batch.Alone(i);
    Run(alone, now, sink);
  }
}

void InlineRunner::Fail(std::uint64_t ticket, const Error& error, AnswerSink& sink) {
  executor_.CountRefused(error.code());
  sink.OnError(ticket, error);
}

}  // namespace warmswap
