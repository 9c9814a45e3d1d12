#include "core/execution_policy.h"

#include <algorithm>
#include <bit>

namespace warmswap {
namespace {

/// Weight of the newest run in the moving mean: 1 / 16.
constexpr int kSmoothing = 16;
/// A run that was interrupted says nothing about the model.
constexpr std::chrono::nanoseconds kLongest = 4 * ExecutionPolicy::kThreadedAbove;

}  // namespace

std::size_t ExecutionPolicy::Index(std::size_t input_bytes) noexcept {
  return static_cast<std::size_t>(std::bit_width(input_bytes));
}

void ExecutionPolicy::AddRun(std::size_t input_bytes, std::chrono::nanoseconds duration) noexcept {
  Size& size = sizes_[Index(input_bytes)];
  const std::int64_t ns = std::min(duration, kLongest).count();
  const std::uint64_t runs = size.runs.fetch_add(1, std::memory_order_relaxed) + 1;
  std::int64_t mean = size.mean_ns.load(std::memory_order_relaxed);
  mean = runs == 1 ? ns : mean + (ns - mean) / kSmoothing;
  size.mean_ns.store(mean, std::memory_order_relaxed);
  if (runs < kMinRuns) return;
  const bool was_inline = size.is_inline.load(std::memory_order_relaxed);
  const std::chrono::nanoseconds limit = was_inline ? kThreadedAbove : kInlineBelow;
  size.is_inline.store(std::chrono::nanoseconds(mean) < limit, std::memory_order_relaxed);
}

bool ExecutionPolicy::IsInline(std::size_t input_bytes) const noexcept {
  if (execution_ != Execution::kAuto) return execution_ == Execution::kInline;
  return sizes_[Index(input_bytes)].is_inline.load(std::memory_order_relaxed);
}

}  // namespace warmswap
