#include "core/runner.h"

#include <algorithm>
#include <utility>

#include "core/batch.h"

namespace warmswap {
namespace {

Error Unloading() { return {ErrorCode::kUnavailable, "this version is being unloaded"}; }

Error Cancelled() { return {ErrorCode::kCancelled, "the request was cancelled"}; }

Error TooLate() {
  return {ErrorCode::kDeadlineExceeded, "the deadline passed while the request was queued"};
}

}  // namespace

Runner::Runner(Session& session, const RunnerOptions& options,
               std::function<void(Completion)> on_complete)
    : session_(session),
      options_(options),
      on_complete_(std::move(on_complete)),
      queue_(options.queue_capacity, options.priorities,
             [this](const Request& request) { in_flight_.Take(request.ticket); }),
      stop_at_exit_([this] { Stop(); }) {
  if (options.max_batch > 1) RequireBatchable(session.inputs(), session.outputs());
  try {
    Start(options.threads);
  } catch (...) {
    Stop();  // the threads that did start
    throw;
  }
}

Runner::~Runner() { Stop(); }

// Under the lock, because the process may exit, and stop this, while threads are being started.
void Runner::Start(std::size_t threads) {
  const std::lock_guard lock(stop_mutex_);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

void Runner::Submit(Request request) {
  if (options_.max_batch > 1) MarkForBatching(request);
  try {
    queue_.Push(std::move(request));
  } catch (const Error& error) {
    statistics_.CountFailure(error.code());
    throw;
  }
}

void Runner::Cancel(std::uint64_t ticket) {
  if (std::optional<Request> waiting = queue_.Remove(ticket)) {
    waiting.reset();
    Report(ticket, Cancelled());
  } else {
    in_flight_.Cancel(ticket);
  }
}

void Runner::Stop() {
  for (const Request& request : queue_.Close()) Report(request.ticket, Unloading());
  in_flight_.Stop();
  const std::lock_guard lock(stop_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Runner::Work() {
  std::vector<Request> batch;
  while (TakeBatch(batch)) {
    RunBatch(batch);
    batch.clear();
  }
}

bool Runner::TakeBatch(std::vector<Request>& batch) {
  std::optional<Request> first = queue_.Pop();
  if (!first) return false;
  batch.push_back(std::move(*first));
  if (!batch.front().batch_key.empty()) FillBatch(batch);
  return true;
}

void Runner::FillBatch(std::vector<Request>& batch) {
  std::size_t rows = batch.front().rows;
  const auto fits = [&](const Request& next) {
    return next.batch_key == batch.front().batch_key && rows + next.rows <= options_.max_batch;
  };
  Clock::time_point until =
      std::min(batch.front().queued_at + options_.max_delay, batch.front().deadline);
  while (rows < options_.max_batch) {
    std::optional<Request> next = queue_.PopIf(fits, until);
    if (!next) return;
    if (Clock::now() >= next->deadline) {
      Complete(*next, TooLate());
      continue;
    }
    rows += next->rows;
    until = std::min(until, next->deadline);
    batch.push_back(std::move(*next));
  }
}

void Runner::RunBatch(std::vector<Request>& batch) {
  const Clock::time_point taken = Clock::now();
  DropDead(batch, taken);
  if (batch.size() > 1 && RunTogether(batch, taken)) return;
  for (Request& request : batch) RunAlone(request, taken);
}

void Runner::DropDead(std::vector<Request>& batch, Clock::time_point now) {
  const auto drop = [&](Request& request) {
    const bool is_late = now >= request.deadline;
    if (!is_late && !in_flight_.IsCancelled(request.ticket)) return false;
    Complete(request, is_late ? TooLate() : Cancelled());
    return true;
  };
  std::erase_if(batch, drop);
}

bool Runner::RunTogether(std::span<Request> batch, Clock::time_point taken) {
  std::vector<RunResult> results;
  try {
    results = ResultsOf(batch, taken);
  } catch (...) {
    return false;  // whose fault it was, and whether it was one at all, shows when each runs alone
  }
  for (std::size_t i = 0; i < batch.size(); ++i) Complete(batch[i], std::move(results[i]));
  return true;
}

std::vector<RunResult> Runner::ResultsOf(std::span<const Request> batch, Clock::time_point taken) {
  const Clock::time_point began = Clock::now();
  const std::vector<Ort::Value> inputs = JoinInputs(batch);
  const ActiveRun run(in_flight_, batch);
  const Clock::time_point started = Clock::now();
  const std::vector<Ort::Value> outputs =
      session_.Run(run.options(), inputs, batch.front().outputs);
  const Clock::time_point ran = Clock::now();
  std::vector<std::vector<Ort::Value>> split = SplitOutputs(outputs, batch);
  statistics_.AddRun(batch.size(), ran - started);
  statistics_.AddBatchCopies(started - began, Clock::now() - ran);
  std::vector<RunResult> results;
  results.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    results.push_back(
        {std::move(split[i]), taken - batch[i].queued_at, ran - started, batch.size()});
  }
  return results;
}

void Runner::RunAlone(Request& request, Clock::time_point taken) {
  Complete(request, OutcomeOf(request, taken));
}

RunOutcome Runner::OutcomeOf(const Request& request, Clock::time_point taken) {
  try {
    const ActiveRun run(in_flight_, {&request, 1});
    const Clock::time_point started = Clock::now();
    std::vector<Ort::Value> outputs = session_.Run(run.options(), request.inputs, request.outputs);
    const auto computed = Clock::now() - started;
    statistics_.AddRun(1, computed);
    return RunResult{std::move(outputs), taken - request.queued_at, computed};
  } catch (...) {
    return in_flight_.is_stopping() ? Unloading() : CurrentExceptionAsError();
  }
}

// The inputs go before the completion: whoever learns of it may count on their memory.
void Runner::Complete(Request& request, RunOutcome outcome) {
  if (in_flight_.Finish(request.ticket)) outcome = Cancelled();
  Count(request, outcome);
  request.inputs.clear();
  on_complete_({request.ticket, std::move(outcome)});
}

void Runner::Report(std::uint64_t ticket, const Error& error) {
  statistics_.CountFailure(error.code());
  on_complete_({ticket, error});
}

void Runner::Count(const Request& request, const RunOutcome& outcome) {
  if (const auto* error = std::get_if<Error>(&outcome)) {
    statistics_.CountFailure(error->code());
    return;
  }
  const auto& result = std::get<RunResult>(outcome);
  statistics_.AddQueued(result.queued);
  statistics_.CountSuccess({RowsOf(request.inputs), RowsOf(result.outputs),
                            ByteSizeOf(request.inputs), ByteSizeOf(result.outputs)});
}

}  // namespace warmswap
