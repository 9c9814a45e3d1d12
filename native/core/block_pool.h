#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "core/memory_pool.h"

namespace warmswap {

/// Memory for tensors. Large blocks are mapped, and kept for the next one of about that size when
/// they are given back: mapping and zeroing pages anew costs more than what is done with them.
/// Small ones are the heap's. Thread-safe.
class BlockPool final : public MemoryPool {
 public:
  /// Every block begins at a multiple of this.
  static constexpr std::size_t kAlignment = 64;
  /// Blocks of this many bytes and more are mapped.
  static constexpr std::size_t kLargeBytes = std::size_t{256} << 10U;
  /// What is kept at most, or one block if that alone is larger.
  static constexpr std::size_t kMaxKeptBytes = std::size_t{256} << 20U;

  BlockPool() = default;
  /// Blocks that are still out are not freed.
  ~BlockPool();

  /// A block of at least `bytes` with any contents; null if there is no memory.
  void* Take(std::size_t bytes) noexcept override;
  /// Takes back what Take gave; null is fine.
  void Give(void* block) noexcept override;
  /// Frees what is kept.
  void Trim() noexcept;

  std::size_t kept_bytes() const noexcept;

 private:
  void* TakeKept(std::size_t mapped_bytes) noexcept;
  void Keep(void* mapping, std::size_t mapped_bytes) noexcept;
  void FreeSmallestKept() noexcept;

  mutable std::mutex mutex_;
  std::multimap<std::size_t, void*> kept_;  // by size of the mapping
  std::size_t kept_bytes_ = 0;
};

}  // namespace warmswap
