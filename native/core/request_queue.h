#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "core/ort.h"

namespace warmswap {

using Clock = std::chrono::steady_clock;

/// One inference on its way to a runner thread.
struct Request {
  std::uint64_t ticket = 0;          ///< chosen by the caller, given back with the completion
  std::vector<Ort::Value> inputs;    ///< one per input of the session, in its order
  std::vector<std::size_t> outputs;  ///< indices of the outputs asked for
  Clock::time_point deadline = Clock::time_point::max();
  Clock::time_point queued_at = {};  ///< set by RequestQueue::Push
};

/// The bounded queue in front of the runner threads. Thread-safe, first in first out.
class RequestQueue {
 public:
  explicit RequestQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Never blocks. Throws kResourceExhausted when full, kUnavailable once closed.
  void Push(Request request);

  /// Blocks until there is a request; nothing once the queue is closed.
  std::optional<Request> Pop();

  /// Wakes every Pop. Gives back the requests that no runner has taken.
  std::vector<Request> Close();

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<Request> requests_;
  bool closed_ = false;
};

}  // namespace warmswap
