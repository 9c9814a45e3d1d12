#include "core/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace warmswap {
namespace {

constexpr std::size_t kSmallest = 64;

std::size_t SizeClass(std::size_t size) {
  return static_cast<std::size_t>(std::bit_width(std::max(size, kSmallest) - 1));
}

}  // namespace

PooledBuffer& PooledBuffer::operator=(PooledBuffer&& other) noexcept {
  if (this == &other) return *this;
  GiveBack();
  pool_ = std::move(other.pool_);
  block_ = std::move(other.block_);
  size_ = other.size_;
  return *this;
}

PooledBuffer::~PooledBuffer() { GiveBack(); }

void PooledBuffer::GiveBack() noexcept {
  if (pool_ && block_) pool_->Return(std::move(block_), size_);
}

std::shared_ptr<BufferPool> BufferPool::Create(std::size_t max_idle_bytes) {
  return std::shared_ptr<BufferPool>(new BufferPool(max_idle_bytes));
}

PooledBuffer BufferPool::Take(std::size_t size) {
  const std::size_t size_class = SizeClass(size);
  const std::size_t capacity = std::size_t{1} << size_class;
  {
    const std::lock_guard lock(mutex_);
    std::vector<PooledBuffer::Block>& idle = idle_[size_class];
    if (!idle.empty()) {
      PooledBuffer taken(shared_from_this(), std::move(idle.back()), size);
      idle.pop_back();
      idle_bytes_ -= capacity;
      return taken;
    }
  }
  auto* bytes = static_cast<std::byte*>(::operator new[](capacity, PooledBuffer::kAlignment));
  return {shared_from_this(), PooledBuffer::Block(bytes), size};
}

std::size_t BufferPool::idle_bytes() {
  const std::lock_guard lock(mutex_);
  return idle_bytes_;
}

// A vector that cannot grow drops the block instead: nothing is lost but its reuse.
void BufferPool::Return(PooledBuffer::Block block, std::size_t size) noexcept {
  const std::size_t size_class = SizeClass(size);
  const std::size_t capacity = std::size_t{1} << size_class;
  const std::lock_guard lock(mutex_);
  if (capacity > max_idle_bytes_ - idle_bytes_) return;
  try {
    idle_[size_class].push_back(std::move(block));
    idle_bytes_ += capacity;
  } catch (const std::bad_alloc&) {
    return;
  }
}

}  // namespace warmswap
