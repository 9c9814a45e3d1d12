#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/ort.h"
#include "core/request_queue.h"
#include "core/session.h"
#include "core/stop_at_exit.h"

namespace warmswap {

struct RunResult {
  std::vector<Ort::Value> outputs;  ///< in the order in which they were asked for
  std::chrono::nanoseconds queued;  ///< from Submit until a runner took the request
  std::chrono::nanoseconds computed;
  std::size_t batch_size = 1;
};

struct Completion {
  std::uint64_t ticket;
  std::variant<RunResult, Error> outcome;
};

struct RunnerOptions {
  std::size_t threads = 1;
  std::size_t queue_capacity = 1024;
};

/// Runs the requests of one session on threads of its own. Every submitted request completes
/// exactly once: run, failed, past its deadline (kDeadlineExceeded), or dropped by Stop
/// (kUnavailable).
class Runner {
 public:
  /// `on_complete` is called on a runner thread, or on the one that calls Stop; it must not throw.
  /// The session must outlive the runner.
  Runner(Session& session, const RunnerOptions& options,
         std::function<void(Completion)> on_complete);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  /// Never blocks. Throws kResourceExhausted when the queue is full, kUnavailable once stopped;
  /// then `on_complete` is not called for it.
  void Submit(Request request);

  /// Drops what waits, tells ONNX Runtime to end what runs (it does so between two nodes), and
  /// returns when the threads have ended. Idempotent; callable from any thread but a runner's.
  void Stop();

 private:
  void Start(std::size_t threads);
  void Work();
  std::variant<RunResult, Error> Execute(Request& request);
  bool Begin(Ort::RunOptions& run);
  void End(Ort::RunOptions& run);

  Session& session_;
  const std::function<void(Completion)> on_complete_;
  RequestQueue queue_;
  std::mutex running_mutex_;
  std::unordered_set<Ort::RunOptions*> running_;
  bool stopping_ = false;
  std::mutex stop_mutex_;
  std::vector<std::thread> threads_;
  StopAtExit stop_at_exit_;
};

}  // namespace warmswap
