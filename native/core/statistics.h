#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/error.h"

namespace warmswap {

inline constexpr std::size_t kErrorCodeCount = static_cast<std::size_t>(ErrorCode::kInternal) + 1;

/// Counts of values by powers of two: bucket i counts values up to 2^i, the last one all that are
/// bigger. Adding is wait-free from any thread; a snapshot may miss what is being added.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 32;

  struct Snapshot {
    std::array<std::uint64_t, kBuckets> counts{};
    std::uint64_t sum = 0;  ///< of the values
  };

  void Add(std::uint64_t value) noexcept;
  Snapshot Read() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_ = 0;
};

/// What one version has done since it was loaded. Times are in microseconds.
struct StatisticsSnapshot {
  std::uint64_t succeeded = 0;
  std::array<std::uint64_t, kErrorCodeCount> failed{};  ///< by ErrorCode; also those never queued
  std::uint64_t rows_in = 0;   ///< first dimension of the first input, 1 for a scalar
  std::uint64_t rows_out = 0;  ///< the same of the first output
  std::uint64_t bytes_in = 0;  ///< of requests that succeeded; BYTES tensors count as none
  std::uint64_t bytes_out = 0;
  Histogram::Snapshot batch_size;  ///< requests of each run that succeeded
  Histogram::Snapshot queue_us;    ///< of each request that succeeded
  Histogram::Snapshot assemble_us;
  Histogram::Snapshot run_us;
  Histogram::Snapshot split_us;
};

/// Bytes and rows of requests that succeeded.
struct Traffic {
  std::size_t rows_in = 0;
  std::size_t rows_out = 0;
  std::size_t bytes_in = 0;
  std::size_t bytes_out = 0;
};

/// Counters that any thread adds to without waiting, and any thread may read.
class Statistics {
 public:
  void CountSuccess(const Traffic& traffic) noexcept { CountSuccesses(1, traffic); }
  /// `traffic` is that of all of them.
  void CountSuccesses(std::size_t requests, const Traffic& traffic) noexcept;
  void CountFailure(ErrorCode code) noexcept;
  void AddQueued(std::chrono::nanoseconds time) noexcept;
  void AddRun(std::size_t batch_size, std::chrono::nanoseconds time) noexcept;
  /// Of a run of several requests: the time to join their inputs and to cut the outputs.
  void AddBatchCopies(std::chrono::nanoseconds assemble, std::chrono::nanoseconds split) noexcept;

  StatisticsSnapshot Read() const noexcept;

 private:
  using Counter = std::atomic<std::uint64_t>;

  Counter succeeded_ = 0;
  std::array<Counter, kErrorCodeCount> failed_{};
  Counter rows_in_ = 0;
  Counter rows_out_ = 0;
  Counter bytes_in_ = 0;
  Counter bytes_out_ = 0;
  Histogram batch_size_;
  Histogram queue_us_;
  Histogram assemble_us_;
  Histogram run_us_;
  Histogram split_us_;
};

}  // namespace warmswap
