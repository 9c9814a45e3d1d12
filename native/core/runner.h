#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/executor.h"
#include "core/in_flight.h"
#include "core/request_errors.h"
#include "core/request_queue.h"
#include "core/run_result.h"
#include "core/stop_at_exit.h"

namespace warmswap {

struct RunnerOptions {
  std::size_t threads = 1;
  std::size_t queue_capacity = 1024;
  std::size_t priorities = 1;
  std::size_t max_batch = 1;              ///< rows that may run together; 1 means no batching
  std::chrono::nanoseconds max_delay{0};  ///< how long after it was queued a request waits for more
};

/// Runs the requests of one session on threads of its own. Every submitted request completes
/// exactly once: run, failed, past its deadline (kDeadlineExceeded), cancelled (kCancelled),
/// displaced by a more urgent one (kResourceExhausted), or dropped by Stop (kUnavailable).
///
/// With a `max_batch`, requests that fit together run as one, in the order in which they would have
/// run alone: a request that does not fit ends the batch. If that run fails, each of them runs
/// alone. One thread at a time forms a batch, the others run theirs.
class Runner {
 public:
  /// Called on a runner thread, or on the one that calls Submit, Expire, Cancel or Stop; must not
  /// throw.
  using OnComplete = std::function<void(std::vector<Completion>)>;

  /// The executor must outlive the runner.
  Runner(Executor& executor, const RunnerOptions& options, OnComplete on_complete);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  /// Never blocks, and wakes nobody: see Wake. Throws kInvalidArgument for a priority that there is
  /// not, kResourceExhausted when the queue is full, kUnavailable once stopped; then `on_complete`
  /// is not called for it, and its inputs are untouched. The ticket must not be in use. Requests
  /// that leave a full queue for it (RequestQueue::Push) complete on this thread, with
  /// kDeadlineExceeded or kResourceExhausted.
  void Submit(Request&& request);

  /// Why Submit would refuse a request of this priority now for want of room: see
  /// RequestQueue::IsFullFor. Throws kInvalidArgument for a priority that there is not.
  std::optional<Error> RefusalOf(std::optional<std::size_t> priority) {
    if (!queue_.IsFullFor(priority)) return std::nullopt;
    return QueueFull(options_.queue_capacity);
  }

  /// Completes the waiting requests whose deadlines have passed, on this thread. No deadline of
  /// those that still wait is earlier than what it gives.
  Clock::time_point Expire();

  /// Wakes the threads: once for all that was submitted since.
  void Wake() { queue_.Wake(); }

  /// Never blocks. A request that waits completes at once, on this thread; one that runs completes
  /// when its run ends, which ONNX Runtime is told once all requests of that run are cancelled.
  /// Unknown tickets are ignored.
  void Cancel(std::uint64_t ticket);

  /// Whether nothing waits or runs.
  bool is_idle() const noexcept { return outstanding_.load(std::memory_order_relaxed) == 0; }

  /// Drops what waits, tells ONNX Runtime to end what runs (it does so between two nodes), and
  /// returns when the threads have ended. Idempotent; callable from any thread but a runner's.
  void Stop();

 private:
  void Start(std::size_t threads);
  void Work();
  bool TakeBatch(std::vector<Request>& batch);
  void FillBatch(std::vector<Request>& batch);
  void RunBatch(std::vector<Request>& batch);
  void DropDead(std::vector<Request>& batch, Clock::time_point now);
  bool RunTogether(std::span<Request> batch, Clock::time_point taken);
  RunOutcome OutcomeOf(const Request& request, Clock::time_point taken);
  Completion Finish(Request& request, RunOutcome outcome);
  void Report(std::vector<Completion> completions);
  void Report(Completion completion);

  Executor& executor_;
  const RunnerOptions options_;
  const OnComplete on_complete_;
  std::atomic<std::size_t> outstanding_ = 0;
  InFlight in_flight_;
  RequestQueue queue_;
  std::mutex forming_mutex_;  // of the thread that forms a batch; taken before the queue's own
  std::mutex stop_mutex_;
  std::vector<std::thread> threads_;
  StopAtExit stop_at_exit_;
};

}  // namespace warmswap
