#include "core/request_queue.h"

#include <iterator>
#include <string>
#include <utility>

#include "core/error.h"

namespace warmswap {

void RequestQueue::Push(Request request) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw Error(ErrorCode::kUnavailable, "this version is being unloaded");
    if (requests_.size() >= capacity_) {
      throw Error(ErrorCode::kResourceExhausted,
                  "the queue is full: " + std::to_string(capacity_) + " requests are waiting");
    }
    request.queued_at = Clock::now();
    requests_.push_back(std::move(request));
  }
  not_empty_.notify_one();
}

std::optional<Request> RequestQueue::Pop() {
  std::unique_lock lock(mutex_);
  not_empty_.wait(lock, [this] { return closed_ || !requests_.empty(); });
  if (requests_.empty()) return std::nullopt;
  Request request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

std::vector<Request> RequestQueue::Close() {
  std::vector<Request> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.assign(std::make_move_iterator(requests_.begin()),
                std::make_move_iterator(requests_.end()));
    requests_.clear();
  }
  not_empty_.notify_all();
  return left;
}

}  // namespace warmswap
