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

#include "core/request.h"

namespace warmswap {

/// The bounded queue in front of the runner threads. Thread-safe. More urgent requests leave first;
/// within a priority it is first in first out. The bound holds over all priorities.
class RequestQueue {
 public:
  /// Called under the queue's lock with the request that is being taken; must not block or throw.
  using OnTaken = std::function<void(const Request&)>;

  explicit RequestQueue(
      std::size_t capacity, std::size_t priorities = 1, OnTaken on_taken = [](const Request&) {});

  /// Never blocks. When full, a request that is more urgent than others takes the place of the one
  /// that came last of the least urgent ones, which is given back. Throws kInvalidArgument for a
  /// priority that there is not, kResourceExhausted when full without such a one, kUnavailable once
  /// closed; then `request` is untouched. Wakes nobody: see Wake.
  std::optional<Request> Push(Request&& request);

  /// Wakes those who wait for requests: once for all that have been pushed since.
  void Wake();

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
  std::size_t LevelOf(const Request& request) const;
  std::optional<Request> MakeRoom(std::size_t level);
  const Request& Front() const;
  Request TakeFront();

  const std::size_t capacity_;
  const OnTaken on_taken_;
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::vector<std::deque<Request>> levels_;  // by priority
  std::size_t size_ = 0;
  std::size_t unannounced_ = 0;  // requests that were pushed since the last Wake
  bool closed_ = false;
};

}  // namespace warmswap
