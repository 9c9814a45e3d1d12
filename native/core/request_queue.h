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
  /// What has left a full queue to make room.
  struct Evicted {
    std::vector<Request> expired;      ///< past their deadlines
    std::optional<Request> displaced;  ///< by one that is more urgent
  };

  /// Called under the queue's lock with the request that is being taken; must not block or throw.
  using OnTaken = std::function<void(const Request&)>;

  explicit RequestQueue(
      std::size_t capacity, std::size_t priorities = 1, OnTaken on_taken = [](const Request&) {});

  /// Never blocks. When full, the requests whose deadlines have passed leave; are there none, a
  /// request that is more urgent than others takes the place of the one that came last of the least
  /// urgent ones. Throws kInvalidArgument for a priority that there is not, kResourceExhausted when
  /// full without such a one, kUnavailable once closed; then `request` is untouched. Wakes nobody:
  /// see Wake.
  Evicted Push(Request&& request);

  /// Whether Push would refuse a request of this priority now, for want of room. May be false where
  /// it would, never true where it would not, unless another thread makes room meanwhile.
  bool IsFullFor(std::optional<std::size_t> priority);

  struct Expired {
    std::vector<Request> requests;
    Clock::time_point next;  ///< no deadline of what still waits is earlier
  };

  /// Takes out the requests whose deadlines have passed.
  Expired TakeExpired();

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
  std::size_t LevelOf(std::optional<std::size_t> wanted) const;
  /// The least urgent of the levels behind this one that are not empty; null if there is none.
  std::deque<Request>* LastBehind(std::size_t level);
  Evicted MakeRoom(std::size_t level, Clock::time_point now);
  std::vector<Request> RemoveExpired(Clock::time_point now);
  Request Displace(std::size_t level);
  const Request& Front() const;
  Request TakeFront();

  const std::size_t capacity_;
  const OnTaken on_taken_;
  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::vector<std::deque<Request>> levels_;  // by priority
  std::size_t size_ = 0;
  // No deadline here is earlier. Requests that leave do not move it, so that only a look at all of
  // them does: one for each deadline that has passed at most.
  Clock::time_point earliest_deadline_ = Clock::time_point::max();
  std::size_t unannounced_ = 0;  // requests that were pushed since the last Wake
  bool closed_ = false;
};

}  // namespace warmswap
