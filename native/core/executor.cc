#include "core/executor.h"

#include <utility>

#include "core/batch.h"

namespace warmswap {

void Executor::Replace(std::shared_ptr<Session> session) {
  const std::lock_guard lock(session_mutex_);
  session_.swap(session);
}

std::shared_ptr<Session> Executor::session() {
  const std::lock_guard lock(session_mutex_);
  return session_;
}

std::vector<RunResult> Executor::Run(Ort::RunOptions& options, std::span<const Request> requests,
                                     Clock::time_point taken) {
  const bool is_batch = requests.size() > 1;
  const Clock::time_point began = is_batch ? Clock::now() : taken;
  std::vector<InputTensor> joined;
  if (is_batch) joined = JoinInputs(requests, pool_);
  const std::vector<Ort::Value> inputs =
      ToOrtValues(is_batch ? joined : std::span(requests.front().inputs));
  const Clock::time_point started = Clock::now();
  const auto outputs =
      std::make_shared<const RunOutputs>(session()->Run(options, inputs, requests.front().outputs));
  const Clock::time_point ran = Clock::now();
  std::vector<RunResult> results;
  results.reserve(requests.size());
  for (const Request& request : requests) {
    results.push_back({outputs, {}, taken - request.queued_at, ran - started, requests.size()});
  }
  if (is_batch) {
    const std::vector<RowRange> rows = AssignRows(*outputs, requests);
    for (std::size_t i = 0; i < rows.size(); ++i) results[i].rows = rows[i];
    statistics_.AddBatchCopies(started - began, Clock::now() - ran);
  }
  statistics_.AddRun(requests.size(), ran - started);
  policy_.AddRun(ByteSizeOf(requests.front().inputs), ran - started);
  return results;
}

RunResult Executor::Run(Ort::RunOptions& options, const GatheredBatch& batch, KeptRun& kept) {
  const std::size_t requests = batch.members().size();
  const std::shared_ptr<Session> session = this->session();
  const Clock::time_point started = Clock::now();
  RunResult result;
  result.outputs = kept.Run(options, *session, batch);
  const Clock::time_point ran = Clock::now();
  result.computed = ran - started;
  result.batch_size = requests;
  if (requests > 1) {
    RequireRows(*result.outputs, batch.rows());
    // The inputs were joined as they came.
    statistics_.AddBatchCopies({}, Clock::now() - ran);
  }
  statistics_.AddRun(requests, result.computed);
  policy_.AddRun(batch.first_byte_size(), result.computed);
  return result;
}

void Executor::CountSuccess(const GatheredBatch& batch, const RunResult& result,
                            Clock::time_point taken) {
  for (const GatheredBatch::Member& member : batch.members()) {
    statistics_.AddQueued(taken - member.queued_at);
  }
  const std::size_t requests = batch.members().size();
  const std::size_t rows_out = requests > 1 ? batch.rows() : result.RowCount();
  statistics_.CountSuccesses(requests,
                             {batch.rows(), rows_out, batch.byte_size(), result.ByteSize()});
}

// The inputs go before the completion: whoever learns of it may count on their memory.
Completion Executor::Complete(Request& request, RunOutcome outcome) {
  if (const auto* error = std::get_if<Error>(&outcome)) {
    statistics_.CountFailure(error->code());
  } else {
    CountSuccess(request, std::get<RunResult>(outcome));
  }
  request.inputs.clear();
  return {request.ticket, std::move(request.reply), std::move(outcome)};
}

void Executor::CountSuccess(const Request& request, const RunResult& result) {
  statistics_.AddQueued(result.queued);
  statistics_.CountSuccess(
      {RowsOf(request.inputs), result.RowCount(), ByteSizeOf(request.inputs), result.ByteSize()});
}

}  // namespace warmswap
