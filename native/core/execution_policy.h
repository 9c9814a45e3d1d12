#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace warmswap {

/// Where requests run.
enum class Execution : std::uint8_t {
  kAuto,      ///< inline where runs are shorter than a hop to another thread
  kInline,    ///< on the thread that asks
  kThreaded,  ///< on a runner thread
};

/// Decides from measured run times which requests run inline. Handing a request to another thread
/// and back costs tens of microseconds, so runs that are as short are done before that. Inputs of
/// different sizes take different times: each power of two is judged by itself, so that a size that
/// was never measured never holds up the thread that asks. Thread-safe; nothing waits.
class ExecutionPolicy {
 public:
  // Two thresholds, so that a model in between does not change sides all the time.
  static constexpr std::chrono::microseconds kInlineBelow{60};
  static constexpr std::chrono::microseconds kThreadedAbove{100};
  /// Runs before the first decision.
  static constexpr std::uint64_t kMinRuns = 16;

  explicit ExecutionPolicy(Execution execution) : execution_(execution) {}

  /// `input_bytes` are those of one request of the run.
  void AddRun(std::size_t input_bytes, std::chrono::nanoseconds duration) noexcept;

  bool IsInline(std::size_t input_bytes) const noexcept;

 private:
  // Of runs that end at the same time one may be missed; the mean does not care.
  struct Size {
    std::atomic<std::uint64_t> runs = 0;
    std::atomic<std::int64_t> mean_ns = 0;
    std::atomic<bool> is_inline = false;
  };
  static std::size_t Index(std::size_t input_bytes) noexcept;

  const Execution execution_;
  std::array<Size, 65> sizes_;  // by the number of bits of the size in bytes
};

}  // namespace warmswap
