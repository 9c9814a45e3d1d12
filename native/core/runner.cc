#include "core/runner.h"

#include <utility>

namespace warmswap {
namespace {

Error Unloading() { return {ErrorCode::kUnavailable, "this version is being unloaded"}; }

}  // namespace

Runner::Runner(Session& session, const RunnerOptions& options,
               std::function<void(Completion)> on_complete)
    : session_(session),
      on_complete_(std::move(on_complete)),
      queue_(options.queue_capacity),
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
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

void Runner::Submit(Request request) { queue_.Push(std::move(request)); }

void Runner::Stop() {
  for (const Request& request : queue_.Close()) on_complete_({request.ticket, Unloading()});
  {
    const std::lock_guard lock(running_mutex_);
    stopping_ = true;
    for (Ort::RunOptions* run : running_) run->SetTerminate();
  }
  const std::lock_guard lock(stop_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Runner::Work() {
  while (std::optional<Request> request = queue_.Pop()) {
    const std::uint64_t ticket = request->ticket;
    std::variant<RunResult, Error> outcome = Execute(*request);
    // The inputs go before the completion: whoever learns of it may count on their memory.
    request.reset();
    on_complete_({ticket, std::move(outcome)});
  }
}

std::variant<RunResult, Error> Runner::Execute(Request& request) {
  const Clock::time_point started = Clock::now();
  if (started >= request.deadline) {
    return Error(ErrorCode::kDeadlineExceeded, "the deadline passed while the request was queued");
  }
  Ort::RunOptions run;
  if (!Begin(run)) return Unloading();
  try {
    std::vector<Ort::Value> outputs = session_.Run(run, request.inputs, request.outputs);
    End(run);
    return RunResult{std::move(outputs), started - request.queued_at, Clock::now() - started};
  } catch (...) {
    End(run);
    const std::lock_guard lock(running_mutex_);
    return stopping_ ? Unloading() : CurrentExceptionAsError();
  }
}

bool Runner::Begin(Ort::RunOptions& run) {
  const std::lock_guard lock(running_mutex_);
  if (stopping_) return false;
  running_.insert(&run);
  return true;
}

void Runner::End(Ort::RunOptions& run) {
  const std::lock_guard lock(running_mutex_);
  running_.erase(&run);
}

}  // namespace warmswap
