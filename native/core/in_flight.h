#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "core/ort.h"
#include "core/request_queue.h"

namespace warmswap {

class ActiveRun;

/// The requests that runner threads have taken from the queue and not yet completed: what can be
/// cancelled while it runs. Thread-safe. Lock order: the queue's lock, then this one.
class InFlight {
 public:
  /// From here until Finish the ticket can be cancelled. Called under the queue's lock, so that a
  /// request is always in one of the two places.
  void Take(std::uint64_t ticket);

  /// Marks a ticket, and ends its run if every request of that run is marked. Ignores the unknown.
  void Cancel(std::uint64_t ticket);

  bool IsCancelled(std::uint64_t ticket);

  /// Forgets a ticket; returns whether it was cancelled.
  bool Finish(std::uint64_t ticket);

  /// Ends every run (ONNX Runtime does so between two nodes) and refuses new ones.
  void Stop();

  bool is_stopping();

 private:
  friend class ActiveRun;
  struct Entry {
    bool is_cancelled = false;
    ActiveRun* run = nullptr;
  };

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::unordered_set<ActiveRun*> runs_;
  bool is_stopping_ = false;
};

/// One run of one or more requests that are in flight; registered as long as it lives.
class ActiveRun {
 public:
  /// Throws kUnavailable once stopping, kCancelled if all of `requests` are cancelled. They must
  /// outlive this.
  ActiveRun(InFlight& in_flight, std::span<const Request> requests);
  ActiveRun(const ActiveRun&) = delete;
  ActiveRun& operator=(const ActiveRun&) = delete;
  ~ActiveRun();

  Ort::RunOptions& options() noexcept { return options_; }

 private:
  friend class InFlight;

  InFlight& in_flight_;
  const std::span<const Request> requests_;
  Ort::RunOptions options_;
  std::size_t wanted_ = 0;  // requests that are not cancelled
};

}  // namespace warmswap
