#include "time_series.h"

#include <algorithm>
#include <cmath>

namespace load {
namespace {

constexpr std::size_t kMostBuckets = 30'000;
constexpr std::size_t kMostAnswers = 4'000'000;

/// The smallest value that this share of all values, which are sorted, do not exceed.
float Quantile(const std::vector<float>& sorted, double share) {
  const double wanted = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted.at(static_cast<std::size_t>(std::max(wanted, 1.0)) - 1);
}

}  // namespace

// So that no answer waits for the buckets to be moved.
TimeSeries::TimeSeries(Nanoseconds width) : width_(width) { buckets_.reserve(kMostBuckets); }

void TimeSeries::Mark(const std::string& phase, Nanoseconds at) { marks_.push_back({phase, at}); }

void TimeSeries::AddAnswer(Nanoseconds due, Nanoseconds latency) {
  Bucket* const bucket = answers_ < kMostAnswers ? BucketOf(due) : nullptr;
  if (bucket == nullptr) {
    ++left_out_;
    return;
  }
  ++answers_;
  bucket->latencies_us.push_back(static_cast<float>(latency) / 1000);
}

void TimeSeries::AddFailure(Nanoseconds due) {
  Bucket* const bucket = BucketOf(due);
  if (bucket == nullptr) {
    ++left_out_;
  } else {
    ++bucket->failures;
  }
}

TimeSeries::Bucket* TimeSeries::BucketOf(Nanoseconds due) {
  if (marks_.empty() || due < marks_.front().at) return nullptr;
  const std::size_t index = (due - marks_.front().at) / width_;
  if (index >= kMostBuckets) return nullptr;
  if (index >= buckets_.size()) buckets_.resize(index + 1);
  return &buckets_[index];
}

double TimeSeries::Milliseconds(Nanoseconds at) const {
  return ToSeconds(at - marks_.front().at) * 1000;
}

void TimeSeries::Print(std::ostream& out) const {
  out << "{\"series\":{\"bucketMs\":" << ToSeconds(width_) * 1000 << ",\"leftOut\":" << left_out_
      << ",\"marks\":[";
  const char* separator = "";
  for (const PhaseMark& mark : marks_) {
    out << separator << "{\"phase\":\"" << mark.phase << "\",\"ms\":" << Milliseconds(mark.at)
        << "}";
    separator = ",";
  }
  out << "],\"buckets\":[";
  separator = "";
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i].latencies_us.empty() && buckets_[i].failures == 0) continue;
    out << separator;
    PrintBucket(out, i);
    separator = ",";
  }
  out << "]}}\n";
}

void TimeSeries::PrintBucket(std::ostream& out, std::size_t index) const {
  std::vector<float> latencies = buckets_[index].latencies_us;
  std::ranges::sort(latencies);
  out << "{\"ms\":" << ToSeconds(index * width_) * 1000 << ",\"requests\":" << latencies.size()
      << ",\"failures\":" << buckets_[index].failures;
  if (!latencies.empty()) {
    out << ",\"p50\":" << Quantile(latencies, 0.5) << ",\"p99\":" << Quantile(latencies, 0.99)
        << ",\"max\":" << latencies.back();
  }
  out << "}";
}

}  // namespace load
