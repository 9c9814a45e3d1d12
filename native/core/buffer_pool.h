#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace warmswap {

class BufferPool;

/// Uninitialised memory of a pool, which gets it back at the end. Movable, not copyable.
class PooledBuffer {
 public:
  static constexpr std::align_val_t kAlignment{64};  // of a cache line, and of an AVX-512 register

  PooledBuffer() = default;
  PooledBuffer(PooledBuffer&& other) noexcept = default;
  PooledBuffer& operator=(PooledBuffer&& other) noexcept;
  PooledBuffer(const PooledBuffer&) = delete;
  PooledBuffer& operator=(const PooledBuffer&) = delete;
  ~PooledBuffer();

  /// Aligned to kAlignment; not null even for a size of 0, null without a pool.
  std::byte* data() const noexcept { return block_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  friend class BufferPool;
  struct Free {
    void operator()(std::byte* bytes) const noexcept { ::operator delete[](bytes, kAlignment); }
  };
  using Block = std::unique_ptr<std::byte[], Free>;

  PooledBuffer(std::shared_ptr<BufferPool> pool, Block block, std::size_t size)
      : pool_(std::move(pool)), block_(std::move(block)), size_(size) {}
  void GiveBack() noexcept;

  std::shared_ptr<BufferPool> pool_;
  Block block_;
  std::size_t size_ = 0;
};

/// Keeps memory for the next taker, so that big inputs do not meet fresh, unmapped pages each time.
/// Blocks are powers of two. Thread-safe. Buffers keep their pool alive.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  /// Keeps at most `max_idle_bytes` that nobody uses.
  static std::shared_ptr<BufferPool> Create(std::size_t max_idle_bytes);

  /// Throws std::bad_alloc.
  PooledBuffer Take(std::size_t size);

  std::size_t idle_bytes();

 private:
  friend class PooledBuffer;
  static constexpr std::size_t kSizeClasses = 64;  // by the exponent of the block's size

  explicit BufferPool(std::size_t max_idle_bytes) : max_idle_bytes_(max_idle_bytes) {}
  void Return(PooledBuffer::Block block, std::size_t size) noexcept;

  const std::size_t max_idle_bytes_;
  std::mutex mutex_;
  std::array<std::vector<PooledBuffer::Block>, kSizeClasses> idle_;
  std::size_t idle_bytes_ = 0;
};

}  // namespace warmswap
