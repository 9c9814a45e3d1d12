#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace warmswap {

/// Hands finished work from many threads to one consumer, waking it once for all that has piled up.
/// Thread-safe. Its size is bounded by what its producers have in flight.
template <typename T>
class CompletionQueue {
 public:
  /// `wake` is called on a producer's thread when the queue stops being empty. It must not block
  /// and must not call back into the queue.
  explicit CompletionQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Push(T item) {
    std::vector<T> items;
    items.push_back(std::move(item));
    PushAll(std::move(items));
  }

  /// The same for several, which are taken together.
  void PushAll(std::vector<T> items) {
    if (items.empty()) return;
    bool was_empty = false;
    {
      const std::lock_guard lock(items_mutex_);
      was_empty = items_.empty();
      if (was_empty) {
        items_ = std::move(items);
      } else {
        std::ranges::move(items, std::back_inserter(items_));
      }
    }
    if (was_empty) Wake();
  }

  /// All that has finished since the last call, in the order in which it was pushed.
  std::vector<T> TakeAll() {
    std::vector<T> taken;
    const std::lock_guard lock(items_mutex_);
    taken.swap(items_);
    return taken;
  }

  /// After this has returned, `wake` is never called again.
  void Close() {
    const std::lock_guard lock(wake_mutex_);
    wake_ = nullptr;
  }

 private:
  // Apart from items_mutex_, so that the consumer never waits for the wake-up itself.
  void Wake() {
    const std::lock_guard lock(wake_mutex_);
    if (wake_) wake_();
  }

  std::mutex items_mutex_;
  std::vector<T> items_;
  std::mutex wake_mutex_;
  std::function<void()> wake_;
};

}  // namespace warmswap
