#include "core/request_queue.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "core/request_errors.h"

namespace warmswap {
namespace {

bool HasRequests(const std::deque<Request>& level) { return !level.empty(); }

}  // namespace

RequestQueue::RequestQueue(std::size_t capacity, std::size_t priorities, OnTaken on_taken)
    : capacity_(capacity), on_taken_(std::move(on_taken)), levels_(priorities) {}

RequestQueue::Evicted RequestQueue::Push(Request&& request) {
  const std::lock_guard lock(mutex_);
  const std::size_t level = LevelOf(request.priority);
  if (closed_) throw Unloading();
  const Clock::time_point now = Clock::now();
  Evicted evicted = MakeRoom(level, now);
  request.queued_at = now;
  earliest_deadline_ = std::min(earliest_deadline_, request.deadline);
  levels_[level].push_back(std::move(request));
  ++size_;
  ++unannounced_;
  return evicted;
}

bool RequestQueue::IsFullFor(std::optional<std::size_t> priority) {
  const std::lock_guard lock(mutex_);
  if (size_ < capacity_ || closed_ || LastBehind(LevelOf(priority)) != nullptr) return false;
  return Clock::now() < earliest_deadline_;
}

RequestQueue::Expired RequestQueue::TakeExpired() {
  const std::lock_guard lock(mutex_);
  std::vector<Request> expired = RemoveExpired(Clock::now());
  return {std::move(expired), size_ == 0 ? Clock::time_point::max() : earliest_deadline_};
}

void RequestQueue::Wake() {
  std::size_t pushed = 0;
  {
    const std::lock_guard lock(mutex_);
    pushed = std::exchange(unannounced_, 0);
  }
  if (pushed == 1) not_empty_.notify_one();
  if (pushed > 1) not_empty_.notify_all();
}

std::optional<Request> RequestQueue::Pop() {
  std::unique_lock lock(mutex_);
  not_empty_.wait(lock, [this] { return closed_ || size_ > 0; });
  if (size_ == 0) return std::nullopt;
  return TakeFront();
}

std::optional<Request> RequestQueue::PopIf(const std::function<bool(const Request&)>& fits,
                                           Clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto may_go_on = [this] { return closed_ || size_ > 0; };
  if (!not_empty_.wait_until(lock, until, may_go_on) || size_ == 0) return std::nullopt;
  if (fits(Front())) return TakeFront();
  // The wake-up was for a request that stays: another thread may want it.
  not_empty_.notify_one();
  return std::nullopt;
}

std::optional<Request> RequestQueue::Remove(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  for (std::deque<Request>& level : levels_) {
    const auto found = std::ranges::find(level, ticket, &Request::ticket);
    if (found == level.end()) continue;
    Request request = std::move(*found);
    level.erase(found);
    --size_;
    return request;
  }
  return std::nullopt;
}

std::vector<Request> RequestQueue::Close() {
  std::vector<Request> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    size_ = 0;
    for (std::deque<Request>& level : levels_) {
      std::ranges::move(level, std::back_inserter(left));
      level.clear();
    }
  }
  not_empty_.notify_all();
  return left;
}

RequestQueue::Evicted RequestQueue::MakeRoom(std::size_t level, Clock::time_point now) {
  if (size_ < capacity_) return {};
  std::vector<Request> expired = RemoveExpired(now);
  if (!expired.empty()) return {std::move(expired), std::nullopt};
  return {{}, Displace(level)};
}

std::vector<Request> RequestQueue::RemoveExpired(Clock::time_point now) {
  std::vector<Request> expired;
  if (now < earliest_deadline_) return expired;
  earliest_deadline_ = Clock::time_point::max();
  for (std::deque<Request>& level : levels_) {
    const auto first_late =
        std::stable_partition(level.begin(), level.end(),
                              [now](const Request& request) { return now < request.deadline; });
    std::move(first_late, level.end(), std::back_inserter(expired));
    level.erase(first_late, level.end());
    for (const Request& request : level) {
      earliest_deadline_ = std::min(earliest_deadline_, request.deadline);
    }
  }
  size_ -= expired.size();
  return expired;
}

Request RequestQueue::Displace(std::size_t level) {
  std::deque<Request>* const last = LastBehind(level);
  if (last == nullptr) throw QueueFull(capacity_);
  Request displaced = std::move(last->back());
  last->pop_back();
  --size_;
  return displaced;
}

std::deque<Request>* RequestQueue::LastBehind(std::size_t level) {
  const auto less_urgent = std::span(levels_).subspan(level + 1);
  const auto last = std::ranges::find_if(less_urgent.rbegin(), less_urgent.rend(), HasRequests);
  return last == less_urgent.rend() ? nullptr : &*last;
}

std::size_t RequestQueue::LevelOf(std::optional<std::size_t> wanted) const {
  const std::size_t priority = wanted.value_or(levels_.size() / 2);
  if (priority < levels_.size()) return priority;
  throw Error(ErrorCode::kInvalidArgument, "priority: expected 0 to " +
                                               std::to_string(levels_.size() - 1) + ", got " +
                                               std::to_string(priority));
}

const Request& RequestQueue::Front() const {
  return std::ranges::find_if(levels_, HasRequests)->front();
}

Request RequestQueue::TakeFront() {
  std::deque<Request>& level = *std::ranges::find_if(levels_, HasRequests);
  on_taken_(level.front());
  Request request = std::move(level.front());
  level.pop_front();
  --size_;
  return request;
}

}  // namespace warmswap
