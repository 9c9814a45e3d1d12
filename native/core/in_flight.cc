#include "core/in_flight.h"

#include "core/request_errors.h"

namespace warmswap {

void InFlight::Take(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  entries_.try_emplace(ticket);
}

void InFlight::Cancel(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(ticket);
  if (found == entries_.end() || found->second.is_cancelled) return;
  found->second.is_cancelled = true;
  ActiveRun* run = found->second.run;
  if (run != nullptr && --run->wanted_ == 0) run->options_.SetTerminate();
}

bool InFlight::IsCancelled(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(ticket);
  return found != entries_.end() && found->second.is_cancelled;
}

bool InFlight::Finish(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(ticket);
  if (found == entries_.end()) return false;
  const bool was_cancelled = found->second.is_cancelled;
  entries_.erase(found);
  return was_cancelled;
}

void InFlight::Stop() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
  for (ActiveRun* run : runs_) run->options_.SetTerminate();
}

bool InFlight::is_stopping() {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

ActiveRun::ActiveRun(InFlight& in_flight, std::span<const Request> requests)
    : in_flight_(in_flight), requests_(requests) {
  const std::lock_guard lock(in_flight_.mutex_);
  if (in_flight_.is_stopping_) throw Unloading();
  for (const Request& request : requests_) {
    if (!in_flight_.entries_[request.ticket].is_cancelled) ++wanted_;
  }
  if (wanted_ == 0) throw Cancelled();
  for (const Request& request : requests_) in_flight_.entries_[request.ticket].run = this;
  in_flight_.runs_.insert(this);
}

ActiveRun::~ActiveRun() {
  const std::lock_guard lock(in_flight_.mutex_);
  for (const Request& request : requests_) in_flight_.entries_[request.ticket].run = nullptr;
  in_flight_.runs_.erase(this);
}

}  // namespace warmswap
