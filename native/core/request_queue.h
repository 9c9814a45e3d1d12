#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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
  /// 0 is the most urgent; the queue's middle priority if left out.
  std::optional<std::size_t> priority = std::nullopt;
  Clock::time_point queued_at = {};  ///< set by RequestQueue::Push
  /// What it has in common with the requests that it may run together with (MarkForBatching); empty
  /// for a request that runs alone.
  std::vector<std::int64_t> batch_key = {};
  std::size_t rows = 0;  ///< size of the inputs' first dimension, where there is a batch_key
};

/// The bounded queue in front of the runner threads. Thread-safe. More urgent requests leave first;
/// within a priority it is first in first out. The bound holds over all priorities.
class RequestQueue {
 public:
  /// Called under the queue's lock with the request that is being taken; must not block or throw.
  using OnTaken = std::function<void(const Request&)>;

  explicit RequestQueue(
      std::size_t capacity, std::size_t priorities = 1, OnTaken on_taken = [](const Request&) {});

  /// Never blocks. Throws kInvalidArgument for a priority that there is not, kResourceExhausted
  /// when full, kUnavailable once closed.
  void Push(Request request);

  /// Blocks until there is a request; nothing once the queue is closed.
  std::optional<Request> Pop();

  /// Takes the next request if `fits` holds for it, and leaves it otherwise. Waits until `until` if
  /// there is none. `fits` is called under the queue's lock.
  std::optional<Request> PopIf(const std::function<bool(const Request&)>& fits,
                               Clock::time_point until);

  /// Takes the request with this ticket out; nothing if it does not wait here.
  std::optional<Request> Remove(std::uint64_t ticket);

  /// Wakes every Pop. Gives back the requests that no runner has taken, in the queue's order.
  std::vector<Request> Close();

 private:
  void CheckRoom() const;
  std::deque<Request>& Level(const Request& request);
  const Request& Front() const;
  Request TakeFront();

  const std::size_t capacity_;
  const OnTaken on_taken_;
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::vector<std::deque<Request>> levels_;  // by priority
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace warmswap
