#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace load {

/// Counts of durations in nanoseconds, log-linear as HdrHistogram's: 128 buckets for each power of
/// two, so that a value read back is off by at most 0.4 %. Holds anything up to 4.8 hours.
class Histogram {
 public:
  void Add(std::uint64_t nanoseconds);

  std::uint64_t count() const { return count_; }
  /// Exact.
  std::uint64_t max() const { return max_; }

  /// The smallest recorded value that at least this share (0..1) of all values do not exceed; 0 if
  /// there are none.
  double Quantile(double share) const;

 private:
  static constexpr unsigned kStepBits = 7;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr unsigned kMaxBits = 44;
  static constexpr std::size_t kBuckets = (kMaxBits - kStepBits + 1) * kSteps;

  static std::size_t BucketOf(std::uint64_t value);
  static double MiddleOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
