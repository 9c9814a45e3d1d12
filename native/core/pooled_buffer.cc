#include "core/pooled_buffer.h"

#include <new>

namespace warmswap {

PooledBuffer::PooledBuffer(MemoryPool& pool, std::size_t size)
    : block_(static_cast<std::byte*>(pool.Take(size)), GiveBlockBack{&pool}), size_(size) {
  if (!block_) throw std::bad_alloc();
}

}  // namespace warmswap
