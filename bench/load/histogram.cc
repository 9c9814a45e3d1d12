#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace load {

void Histogram::Add(std::uint64_t nanoseconds) {
  const std::uint64_t value = std::min(nanoseconds, (std::uint64_t{1} << kMaxBits) - 1);
  ++counts_.at(BucketOf(value));
  ++count_;
  max_ = std::max(max_, value);
}

double Histogram::Quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_.at(bucket);
    if (counts_.at(bucket) > 0 && seen >= wanted) {
      return std::min(MiddleOf(bucket), static_cast<double>(max_));
    }
  }
  return 0;
}

// Values below kSteps have a bucket each. Above, the highest kStepBits + 1 bits choose the bucket.
std::size_t Histogram::BucketOf(std::uint64_t value) {
  if (value < kSteps) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - (kStepBits + 1);
  return shift * kSteps + (value >> shift);
}

double Histogram::MiddleOf(std::size_t bucket) {
  if (bucket < 2 * kSteps) return static_cast<double>(bucket);
  const std::size_t shift = bucket / kSteps - 1;
  const std::uint64_t lowest = (bucket - shift * kSteps) << shift;
  return static_cast<double>(lowest) + static_cast<double>((std::uint64_t{1} << shift) - 1) / 2;
}

}  // namespace load
