#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace warmswap {

/// Memory that this process can still get without swapping, in bytes: of the host, and of its
/// control group (v2) if that has a limit. Counts page cache that can be dropped. Throws kInternal
/// where /proc does not tell.
std::uint64_t AvailableHostBytes();

/// What the limits (memory.max) of the control group `group`, such as "/system.slice/x.service",
/// and of its parents leave, for the hierarchy that is mounted at `root`; nothing if none has one.
std::optional<std::uint64_t> AvailableGroupBytes(const std::filesystem::path& root,
                                                 std::string_view group);

/// Throws kResourceExhausted with both numbers and their difference if loading takes more than is
/// available: better than being killed for it later.
void RequireHostBytes(std::uint64_t bytes);

/// For people: "512 B", "1.5 GiB"; rounded up, so that nobody makes room for too little.
std::string FormatBytes(std::uint64_t bytes);

/// Memory of this process that no other can share: without the pages of files.
std::uint64_t AnonymousBytes();

/// Gives what is free in the heap back to the system, if the heap has at most 32 MiB: allocations
/// of other threads wait for it meanwhile, up to some 0.1 ms a MiB.
void TrimSmallHeap() noexcept;

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
