#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <ostream>
#include <string>

#include "clock.h"
#include "histogram.h"
#include "time_series.h"

namespace load {

/// What happened to the requests that were due in one phase. A phase may be entered many times.
struct Phase {
  explicit Phase(std::string phase_name) : name(std::move(phase_name)) {}

  std::string name;
  Histogram latencies;            ///< of good answers, from the moment the request was due
  std::uint64_t bad_answers = 0;  ///< errors, or not what was expected
  std::uint64_t lost = 0;         ///< in flight when their connection ended, or never answered
  std::uint64_t disconnects = 0;  ///< connections that the server ended
  Nanoseconds duration = 0;
  Nanoseconds processor_time = 0;  ///< of this process, without polling in vain
};

/// Accounts by phase. A request belongs to the phase in which it was due, however late its answer.
class Recorder {
 public:
  /// With a `series_width` it also keeps a time series, of buckets so wide; 0 means none.
  explicit Recorder(Nanoseconds series_width);

  /// Ends the current phase and begins, or resumes, the one of this name.
  void Begin(const std::string& name);
  /// Ends the current phase; what is still answered counts for the phases it was due in.
  void End();

  // What became of a request of a phase, by when it was due.
  void CountAnswer(std::size_t phase, Nanoseconds due, Nanoseconds latency);
  void CountBadAnswer(std::size_t phase, Nanoseconds due);
  void CountLost(std::size_t phase, Nanoseconds due);
  /// In the current phase.
  void CountDisconnect() { ++phases_.at(current_).disconnects; }

  /// Processor time spent on finding that there is nothing to do.
  void CountIdle(Nanoseconds duration) { idle_ += duration; }

  std::size_t current() const { return current_; }
  const std::string& name_of_current() const { return phases_.at(current_).name; }

  /// One JSON object a line for each phase but `left_out`, then one for the time series.
  void Print(std::ostream& out, const std::string& left_out) const;

 private:
  std::size_t Find(const std::string& name);

  std::optional<TimeSeries> series_;
  std::deque<Phase> phases_;
  std::size_t current_ = 0;
  bool running_ = false;
  Nanoseconds began_ = 0;
  Nanoseconds processor_began_ = 0;
  Nanoseconds idle_ = 0;  // of the current phase
};

}  // namespace load
