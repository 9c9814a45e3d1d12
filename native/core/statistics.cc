#include "core/statistics.h"

#include <algorithm>
#include <bit>

namespace warmswap {
namespace {

// Counters stand for themselves: nothing else is ordered by them.
constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

std::uint64_t ToMicroseconds(std::chrono::nanoseconds time) noexcept {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return us < 0 ? 0 : static_cast<std::uint64_t>(us);
}

std::size_t BucketOf(std::uint64_t value) noexcept {
  const std::size_t bucket = value <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(value - 1));
  return std::min(bucket, Histogram::kBuckets - 1);
}

}  // namespace

void Histogram::Add(std::uint64_t value) noexcept {
  counts_[BucketOf(value)].fetch_add(1, kRelaxed);
  sum_.fetch_add(value, kRelaxed);
}

Histogram::Snapshot Histogram::Read() const noexcept {
  Snapshot snapshot;
  for (std::size_t i = 0; i < kBuckets; ++i) snapshot.counts[i] = counts_[i].load(kRelaxed);
  snapshot.sum = sum_.load(kRelaxed);
  return snapshot;
}

void Statistics::CountSuccesses(std::size_t requests, const Traffic& traffic) noexcept {
  succeeded_.fetch_add(requests, kRelaxed);
  rows_in_.fetch_add(traffic.rows_in, kRelaxed);
  rows_out_.fetch_add(traffic.rows_out, kRelaxed);
  bytes_in_.fetch_add(traffic.bytes_in, kRelaxed);
  bytes_out_.fetch_add(traffic.bytes_out, kRelaxed);
}

void Statistics::CountFailure(ErrorCode code) noexcept {
  failed_[static_cast<std::size_t>(code)].fetch_add(1, kRelaxed);
}

void Statistics::AddQueued(std::chrono::nanoseconds time) noexcept {
  queue_us_.Add(ToMicroseconds(time));
}

void Statistics::AddRun(std::size_t batch_size, std::chrono::nanoseconds time) noexcept {
  batch_size_.Add(batch_size);
  run_us_.Add(ToMicroseconds(time));
}

void Statistics::AddBatchCopies(std::chrono::nanoseconds assemble,
                                std::chrono::nanoseconds split) noexcept {
  assemble_us_.Add(ToMicroseconds(assemble));
  split_us_.Add(ToMicroseconds(split));
}

StatisticsSnapshot Statistics::Read() const noexcept {
  StatisticsSnapshot snapshot;
  snapshot.succeeded = succeeded_.load(kRelaxed);
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) snapshot.failed[i] = failed_[i].load(kRelaxed);
  snapshot.rows_in = rows_in_.load(kRelaxed);
  snapshot.rows_out = rows_out_.load(kRelaxed);
  snapshot.bytes_in = bytes_in_.load(kRelaxed);
  snapshot.bytes_out = bytes_out_.load(kRelaxed);
  snapshot.batch_size = batch_size_.Read();
  snapshot.queue_us = queue_us_.Read();
  snapshot.assemble_us = assemble_us_.Read();
  snapshot.run_us = run_us_.Read();
  snapshot.split_us = split_us_.Read();
  return snapshot;
}

}  // namespace warmswap
