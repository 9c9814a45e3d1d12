#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/memory_pool.h"
#include "core/ort.h"
#include "gpu/pinned_block.h"
#include "gpu/primary_context.h"

namespace warmswap {

/// Pinned memory for inputs and outputs, at most so much of it. Blocks that are given back are kept
/// for the next ones of about that size, because pinning takes longer than copying. What does not
/// fit, or cannot be pinned, comes from another pool: slower on its way to a GPU, and otherwise the
/// same. Thread-safe.
class PinnedPool final : public MemoryPool {
 public:
  static constexpr std::size_t kDefaultMaxBytes = std::size_t{1} << 30U;

  /// `fallback` must outlive it. `info` is what ONNX Runtime is to know of pinned blocks.
  PinnedPool(std::shared_ptr<const PrimaryContext> context, MemoryPool& fallback,
             Ort::MemoryInfo info, std::size_t max_bytes = kDefaultMaxBytes);
  /// All blocks must have been given back.
  ~PinnedPool();

  void* Take(std::size_t bytes) noexcept override;
  void Give(void* block) noexcept override;
  const OrtMemoryInfo* InfoOf(const void* block) const noexcept override;
  /// Unpins what is kept.
  void Trim() noexcept;

  /// In use and kept.
  std::size_t pinned_bytes() const noexcept;
  /// How often Take has turned to the other pool.
  std::uint64_t misses() const noexcept { return misses_.load(std::memory_order_relaxed); }

 private:
  using Block = std::unique_ptr<PinnedBlock>;

  void* TakePinned(std::size_t size);
  void* TakeKept(std::size_t size);
  std::vector<Block> MakeRoom(std::size_t size);
  void* Pin(std::size_t size);
  bool Keep(void* block) noexcept;

  const std::shared_ptr<const PrimaryContext> context_;
  MemoryPool& fallback_;
  const Ort::MemoryInfo info_;
  const std::size_t max_bytes_;
  std::atomic<std::uint64_t> misses_ = 0;
  mutable std::mutex mutex_;
  std::multimap<std::size_t, Block> kept_;  // by size
  std::unordered_map<const void*, Block> out_;
  std::size_t pinned_bytes_ = 0;  // of both, and of what is being pinned
};

}  // namespace warmswap
