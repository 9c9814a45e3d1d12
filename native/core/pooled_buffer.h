#pragma once

#include <cstddef>
#include <memory>

#include "core/block_pool.h"

namespace warmswap {

struct GiveBlockBack {
  BlockPool* pool = nullptr;
  void operator()(std::byte* block) const noexcept { pool->Give(block); }
};

/// Uninitialised memory of a BlockPool, which gets it back at the end. Movable.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  /// The pool must outlive it. Throws std::bad_alloc.
  PooledBuffer(BlockPool& pool, std::size_t size);

  /// Aligned to BlockPool::kAlignment; not null even for a size of 0.
  std::byte* data() const noexcept { return block_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  std::unique_ptr<std::byte, GiveBlockBack> block_;
  std::size_t size_ = 0;
};

}  // namespace warmswap
