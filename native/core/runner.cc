#include "core/runner.h"

#include <algorithm>
#include <utility>

#include "core/batch.h"
#include "core/prompt_thread.h"
#include "core/request_errors.h"
#include "core/thread_start.h"

namespace warmswap {

Runner::Runner(Executor& executor, const RunnerOptions& options, OnComplete on_complete)
    : executor_(executor),
      options_(options),
      on_complete_(std::move(on_complete)),
      queue_(options.queue_capacity, options.priorities,
             [this](const Request& request) { in_flight_.Take(request.ticket); }),
      stop_at_exit_([this] { Stop(); }) {
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
  for (std::size_t i = 0; i < threads; ++i)
    threads_.push_back(StartThread("ws-runner", [this] { Work(); }));
}

void Runner::Submit(Request&& request) {
  if (options_.max_batch > 1) MarkForBatching(request);
  outstanding_.fetch_add(1, std::memory_order_relaxed);
  RequestQueue::Evicted evicted;
  try {
    evicted = queue_.Push(std::move(request));
  } catch (...) {
    outstanding_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
  for (Request& expired : evicted.expired) Report(Finish(expired, TooLate()));
  if (evicted.displaced) Report(Finish(*evicted.displaced, Displaced()));
}

Clock::time_point Runner::Expire() {
  RequestQueue::Expired expired = queue_.TakeExpired();
  for (Request& request : expired.requests) Report(Finish(request, TooLate()));
  return expired.next;
}

void Runner::Cancel(std::uint64_t ticket) {
  if (std::optional<Request> waiting = queue_.Remove(ticket)) {
    Report(Finish(*waiting, Cancelled()));
  } else {
    in_flight_.Cancel(ticket);
  }
}

void Runner::Stop() {
  for (Request& request : queue_.Close()) Report(Finish(request, Unloading()));
  in_flight_.Stop();
  const std::lock_guard lock(stop_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Runner::Work() {
  PromptThread self(PromptThread::Role::kRunner);
  std::vector<Request> batch;
  while (TakeBatch(batch)) {
    RunBatch(batch);
    batch.clear();
    self.UpdatePriority();
  }
}

bool Runner::TakeBatch(std::vector<Request>& batch) {
  std::unique_lock forming(forming_mutex_, std::defer_lock);
  if (options_.max_batch > 1) forming.lock();
  std::optional<Request> first = queue_.Pop();
  if (!first) return false;
  batch.push_back(std::move(*first));
  if (!batch.front().batch_key.empty()) FillBatch(batch);
  return true;
}

void Runner::FillBatch(std::vector<Request>& batch) {
  std::size_t rows = batch.front().rows;
  const auto fits = [&](const Request& next) {
    return FitsBatch(batch.front(), rows, next, options_.max_batch);
  };
  Clock::time_point until =
      std::min(batch.front().queued_at + options_.max_delay, batch.front().deadline);
  while (rows < options_.max_batch) {
    std::optional<Request> next = queue_.PopIf(fits, until);
    if (!next) return;
    if (Clock::now() >= next->deadline) {
      Report(Finish(*next, TooLate()));
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
  for (Request& request : batch) Report(Finish(request, OutcomeOf(request, taken)));
}

void Runner::DropDead(std::vector<Request>& batch, Clock::time_point now) {
  std::erase_if(batch, [&](Request& request) {
    const bool is_late = now >= request.deadline;
    if (!is_late && !in_flight_.IsCancelled(request.ticket)) return false;
    Report(Finish(request, is_late ? TooLate() : Cancelled()));
    return true;
  });
}

bool Runner::RunTogether(std::span<Request> batch, Clock::time_point taken) {
  std::vector<RunResult> results;
  try {
    ActiveRun run(in_flight_, batch);
    results = executor_.Run(run.options(), batch, taken);
  } catch (...) {
    return false;  // whose fault it was, and whether it was one at all, shows when each runs alone
  }
  std::vector<Completion> completions;
  completions.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    completions.push_back(Finish(batch[i], std::move(results[i])));
  }
  Report(std::move(completions));
  return true;
}

RunOutcome Runner::OutcomeOf(const Request& request, Clock::time_point taken) {
  try {
    ActiveRun run(in_flight_, {&request, 1});
    return std::move(executor_.Run(run.options(), {&request, 1}, taken).front());
  } catch (...) {
    return in_flight_.is_stopping() ? Unloading() : CurrentExceptionAsError();
  }
}

Completion Runner::Finish(Request& request, RunOutcome outcome) {
  if (in_flight_.Finish(request.ticket)) outcome = Cancelled();
  return executor_.Complete(request, std::move(outcome));
}

void Runner::Report(Completion completion) {
  std::vector<Completion> completions;
  completions.push_back(std::move(completion));
  Report(std::move(completions));
}

void Runner::Report(std::vector<Completion> completions) {
  outstanding_.fetch_sub(completions.size(), std::memory_order_relaxed);
  on_complete_(std::move(completions));
}

}  // namespace warmswap
