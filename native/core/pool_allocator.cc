#include "core/pool_allocator.h"

#include <utility>

namespace warmswap {

PoolAllocator::Interface::Interface(MemoryPool& blocks, Ort::MemoryInfo where)
    : OrtAllocator{}, pool(blocks), info(std::move(where)) {
  OrtAllocator::version = 21;  // that of OrtLibrary's function table
  OrtAllocator::Alloc = &PoolAllocator::Take;
  OrtAllocator::Free = &PoolAllocator::Give;
  OrtAllocator::Info = &PoolAllocator::Info;
  OrtAllocator::Reserve = &PoolAllocator::Take;
}

PoolAllocator::PoolAllocator(MemoryPool& pool, Ort::MemoryInfo info)
    : interface_(pool, std::move(info)) {}

void* PoolAllocator::Take(OrtAllocator* self, std::size_t bytes) {
  return static_cast<Interface*>(self)->pool.Take(bytes);
}

void PoolAllocator::Give(OrtAllocator* self, void* block) {
  static_cast<Interface*>(self)->pool.Give(block);
}

const OrtMemoryInfo* PoolAllocator::Info(const OrtAllocator* self) {
  return static_cast<const Interface*>(self)->info;
}

}  // namespace warmswap
