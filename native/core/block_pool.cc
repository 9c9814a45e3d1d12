#include "core/block_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace warmswap {
namespace {

/// Lies right before every block.
struct Header {
  void* memory;              ///< where the block's memory begins
  std::size_t mapped_bytes;  ///< of the mapping that it is; 0 for the heap's
};

constexpr std::size_t kMaxBytes = std::numeric_limits<std::size_t>::max() / 2;

std::size_t RoundUp(std::size_t bytes, std::size_t multiple) noexcept {
  return (bytes + multiple - 1) / multiple * multiple;
}

std::size_t MappingSize(std::size_t bytes) noexcept {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return RoundUp(bytes + BlockPool::kAlignment, page);
}

void* Map(std::size_t bytes) noexcept {
  void* mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapping == MAP_FAILED ? nullptr : mapping;
}

/// The first aligned place in `memory` behind a header.
void* BlockIn(void* memory, std::size_t mapped_bytes) noexcept {
  if (memory == nullptr) return nullptr;
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(memory) + sizeof(Header);
  const std::size_t skipped = RoundUp(begin, BlockPool::kAlignment) - begin + sizeof(Header);
  std::byte* block = static_cast<std::byte*>(memory) + skipped;
  ::new (block - sizeof(Header)) Header{memory, mapped_bytes};
  return block;
}

// Not by aligned_alloc, which has no fast path in glibc.
void* TakeFromHeap(std::size_t bytes) noexcept {
  return BlockIn(std::malloc(bytes + sizeof(Header) + BlockPool::kAlignment), 0);
}

}  // namespace

BlockPool::~BlockPool() { Trim(); }

void* BlockPool::Take(std::size_t bytes) noexcept {
  if (bytes < kLargeBytes) return TakeFromHeap(bytes);
  if (bytes > kMaxBytes) return nullptr;
  const std::size_t size = MappingSize(bytes);
  if (void* kept = TakeKept(size)) return kept;
  if (void* fresh = Map(size)) return BlockIn(fresh, size);
  Trim();
  return BlockIn(Map(size), size);
}

void BlockPool::Give(void* block) noexcept {
  if (block == nullptr) return;
  const Header header = *(static_cast<Header*>(block) - 1);
  if (header.mapped_bytes == 0) {
    std::free(header.memory);
  } else {
    Keep(header.memory, header.mapped_bytes);
  }
}

void BlockPool::Trim() noexcept {
  const std::lock_guard lock(mutex_);
  while (!kept_.empty()) FreeSmallestKept();
}

std::size_t BlockPool::kept_bytes() const noexcept {
  const std::lock_guard lock(mutex_);
  return kept_bytes_;
}

// At most a quarter of a block is wasted.
void* BlockPool::TakeKept(std::size_t mapped_bytes) noexcept {
  const std::lock_guard lock(mutex_);
  const auto kept = kept_.lower_bound(mapped_bytes);
  if (kept == kept_.end() || kept->first > mapped_bytes + mapped_bytes / 4) return nullptr;
  const auto [size, mapping] = *kept;
  kept_.erase(kept);
  kept_bytes_ -= size;
  return BlockIn(mapping, size);
}

void BlockPool::Keep(void* mapping, std::size_t mapped_bytes) noexcept {
  const std::lock_guard lock(mutex_);
  while (!kept_.empty() && kept_bytes_ + mapped_bytes > kMaxKeptBytes) FreeSmallestKept();
  try {
    kept_.emplace(mapped_bytes, mapping);
    kept_bytes_ += mapped_bytes;
  } catch (...) {
    munmap(mapping, mapped_bytes);
  }
}

void BlockPool::FreeSmallestKept() noexcept {
  const auto smallest = kept_.begin();
  munmap(smallest->second, smallest->first);
  kept_bytes_ -= smallest->first;
  kept_.erase(smallest);
}

}  // namespace warmswap
