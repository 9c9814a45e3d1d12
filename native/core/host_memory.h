#pragma once

#include <cstdint>

namespace warmswap {

/// Memory that the host can give without swapping, in bytes: what a load reserves against. Counts
/// page cache that can be dropped; knows nothing of limits on this process alone. Throws kInternal
/// where /proc does not tell.
std::uint64_t AvailableHostBytes();

/// Memory of this process that no other can share: without the pages of files.
std::uint64_t AnonymousBytes();

/// Watches how much the resident memory of this process, pages of files included, grows at most.
class PeakMemory {
 public:
  /// Starts anew from what is resident now; one at a time in a process.
  PeakMemory();

  /// Bytes that the peak since then lies above the start. Where the kernel does not let a process
  /// reset its peak, an earlier one may count.
  std::uint64_t Growth() const;

 private:
  std::uint64_t start_;
};

}  // namespace warmswap
