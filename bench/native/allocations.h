#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace warmswap::bench {

/// From now on calls of malloc and its kin are counted, in all threads and libraries of this
/// process. That takes time of its own, so figures of such a run tell of allocations alone.
void CountAllocations() noexcept;

/// Reports the allocations of a case while it lives, as `allocs` an iteration; nothing unless they
/// are counted.
class AllocationReport {
 public:
  explicit AllocationReport(benchmark::State& state) noexcept;
  AllocationReport(const AllocationReport&) = delete;
  AllocationReport& operator=(const AllocationReport&) = delete;
  ~AllocationReport();

 private:
  benchmark::State& state_;
  const std::uint64_t before_;
};

}  // namespace warmswap::bench
