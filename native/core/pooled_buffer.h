#pragma once

#include <cstddef>
#include <memory>

#include "core/memory_pool.h"

namespace warmswap {

struct GiveBlockBack {
  MemoryPool* pool = nullptr;
  void operator()(std::byte* block) const noexcept { pool->Give(block); }
};

/// Uninitialised memory of a MemoryPool, which gets it back at the end. Movable.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  /// The pool must outlive it. Throws std::bad_alloc.
  PooledBuffer(MemoryPool& pool, std::size_t size);

  /// Aligned to 64 bytes; not null even for a size of 0.
  std::byte* data() const noexcept { return block_.get(); }
  std::size_t size() const noexcept { return size_; }
  /// See MemoryPool::InfoOf; null also without a block.
  const OrtMemoryInfo* info() const noexcept {
    return block_ ? block_.get_deleter().pool->InfoOf(block_.get()) : nullptr;
  }

 private:
  std::unique_ptr<std::byte, GiveBlockBack> block_;
  std::size_t size_ = 0;
};

}  // namespace warmswap
