#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/in_flight.h"
#include "core/ort.h"
#include "core/request_queue.h"
#include "core/session.h"
#include "core/statistics.h"
#include "core/stop_at_exit.h"

namespace warmswap {

struct RunResult {
  std::vector<Ort::Value> outputs;  ///< in the order in which they were asked for
  std::chrono::nanoseconds queued;  ///< from Submit until a runner took the request
  std::chrono::nanoseconds computed;
  std::size_t batch_size = 1;  ///< requests that ran together
};

using RunOutcome = std::variant<RunResult, Error>;

struct Completion {
  std::uint64_t ticket;
  RunOutcome outcome;
};

struct RunnerOptions {
  std::size_t threads = 1;
  std::size_t queue_capacity = 1024;
  std::size_t priorities = 1;
  std::size_t max_batch = 1;              ///< rows that may run together; 1 means no batching
  std::chrono::nanoseconds max_delay{0};  ///< how long after it was queued a request waits for more
};

/// Runs the requests of one session on threads of its own. Every submitted request completes
/// exactly once: run, failed, past its deadline (kDeadlineExceeded), cancelled (kCancelled), or
/// dropped by Stop (kUnavailable).
///
/// With a `max_batch`, requests that fit together run as one, in the order in which they would have
/// run alone: a request that does not fit ends the batch. If that run fails, each of them runs
/// alone.
class Runner {
 public:
  /// `on_complete` is called on a runner thread, or on the one that calls Stop; it must not throw.
  /// The session must outlive the runner. Throws kFailedPrecondition if it cannot be batched and
  /// `options` want that.
  Runner(Session& session, const RunnerOptions& options,
         std::function<void(Completion)> on_complete);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  /// Never blocks. Throws kInvalidArgument for a priority that there is not, kResourceExhausted
  /// when the queue is full, kUnavailable once stopped; then `on_complete` is not called for it.
  /// The ticket must not be in use.
  void Submit(Request request);

  /// Never blocks. A request that waits completes at once, on this thread; one that runs completes
  /// when its run ends, which ONNX Runtime is told once all requests of that run are cancelled.
  /// Unknown tickets are ignored.
  void Cancel(std::uint64_t ticket);

  /// What has happened so far. Callable from any thread.
  StatisticsSnapshot ReadStatistics() const noexcept { return statistics_.Read(); }

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
  std::vector<RunResult> ResultsOf(std::span<const Request> batch, Clock::time_point taken);
  void RunAlone(Request& request, Clock::time_point taken);
  RunOutcome OutcomeOf(const Request& request, Clock::time_point taken);
  void Complete(Request& request, RunOutcome outcome);
  void Report(std::uint64_t ticket, const Error& error);
  void Count(const Request& request, const RunOutcome& outcome);

  Session& session_;
  const RunnerOptions options_;
  const std::function<void(Completion)> on_complete_;
  Statistics statistics_;
  InFlight in_flight_;
  RequestQueue queue_;
  std::mutex stop_mutex_;
  std::vector<std::thread> threads_;
  StopAtExit stop_at_exit_;
};

}  // namespace warmswap
