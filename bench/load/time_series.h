#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "clock.h"

namespace load {

/// What became of requests, by the time at which they were due, in buckets of equal width. Bounded:
/// what comes after five minutes of 10 ms each, or after some millions of answers, is only counted.
class TimeSeries {
 public:
  explicit TimeSeries(Nanoseconds width);

  /// A phase begins; the first one is where time begins.
  void Mark(const std::string& phase, Nanoseconds at);

  void AddAnswer(Nanoseconds due, Nanoseconds latency);
  void AddFailure(Nanoseconds due);

  /// One JSON object, without those buckets in which nothing was due.
  void Print(std::ostream& out) const;

 private:
  struct PhaseMark {
    std::string phase;
    Nanoseconds at;
  };
  struct Bucket {
    std::vector<float> latencies_us;
    std::uint64_t failures = 0;
  };

  Bucket* BucketOf(Nanoseconds due);
  double Milliseconds(Nanoseconds at) const;
  void PrintBucket(std::ostream& out, std::size_t index) const;

  const Nanoseconds width_;
  std::vector<PhaseMark> marks_;
  std::vector<Bucket> buckets_;
  std::size_t answers_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace load
