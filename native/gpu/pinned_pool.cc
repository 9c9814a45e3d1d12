#include "gpu/pinned_pool.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace warmswap {
namespace {

constexpr std::size_t kSmallest = 4096;
constexpr std::size_t kStep = std::size_t{1} << 20U;

/// Few different sizes, so that kept blocks fit: powers of two, and above a mebibyte whole ones.
std::size_t SizeFor(std::size_t bytes) noexcept {
  if (bytes <= kStep) return std::bit_ceil(std::max(bytes, kSmallest));
  return (bytes + kStep - 1) / kStep * kStep;
}

}  // namespace

PinnedPool::PinnedPool(std::shared_ptr<const PrimaryContext> context, MemoryPool& fallback,
                       Ort::MemoryInfo info, std::size_t max_bytes)
    : context_(std::move(context)),
      fallback_(fallback),
      info_(std::move(info)),
      max_bytes_(max_bytes) {}

PinnedPool::~PinnedPool() = default;

void* PinnedPool::Take(std::size_t bytes) noexcept {
  try {
    void* pinned = bytes <= max_bytes_ ? TakePinned(SizeFor(bytes)) : nullptr;
    if (pinned != nullptr) return pinned;
  } catch (...) {
    // The system pins no more for this process: no reason to fail a request.
  }
  misses_.fetch_add(1, std::memory_order_relaxed);
  return fallback_.Take(bytes);
}

void PinnedPool::Give(void* block) noexcept {
  if (block != nullptr && !Keep(block)) fallback_.Give(block);
}

const OrtMemoryInfo* PinnedPool::InfoOf(const void* block) const noexcept {
  const std::lock_guard lock(mutex_);
  return out_.contains(block) ? static_cast<const OrtMemoryInfo*>(info_) : nullptr;
}

void PinnedPool::Trim() noexcept {
  std::multimap<std::size_t, Block> dropped;
  const std::lock_guard lock(mutex_);
  kept_.swap(dropped);
  for (const auto& [size, block] : dropped) pinned_bytes_ -= size;
}

std::size_t PinnedPool::pinned_bytes() const noexcept {
  const std::lock_guard lock(mutex_);
  return pinned_bytes_;
}

// What has to go is unpinned behind the lock, since that takes long.
void* PinnedPool::TakePinned(std::size_t size) {
  std::vector<Block> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (void* kept = TakeKept(size)) return kept;
    dropped = MakeRoom(size);
    if (pinned_bytes_ + size > max_bytes_) return nullptr;
    pinned_bytes_ += size;
  }
  dropped.clear();
  return Pin(size);
}

// At most a quarter of a block is wasted.
void* PinnedPool::TakeKept(std::size_t size) {
  const auto kept = kept_.lower_bound(size);
  if (kept == kept_.end() || kept->first > size + size / 4) return nullptr;
  void* const block = kept->second->data();
  out_[block] = std::move(kept->second);
  kept_.erase(kept);
  return block;
}

/// Gives the blocks, the largest first, that have to go before so much more can be pinned.
std::vector<PinnedPool::Block> PinnedPool::MakeRoom(std::size_t size) {
  std::vector<Block> dropped;
  dropped.reserve(kept_.size());
  while (pinned_bytes_ + size > max_bytes_ && !kept_.empty()) {
    const auto largest = std::prev(kept_.end());
    pinned_bytes_ -= largest->first;
    dropped.push_back(std::move(largest->second));
    kept_.erase(largest);
  }
  return dropped;
}

/// Pins what TakePinned has counted.
void* PinnedPool::Pin(std::size_t size) {
  try {
    auto pinned = std::make_unique<PinnedBlock>(context_, size);
    void* const block = pinned->data();
    const std::lock_guard lock(mutex_);
    out_[block] = std::move(pinned);
    return block;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    pinned_bytes_ -= size;
    throw;
  }
}

/// False if the block is none of ours.
bool PinnedPool::Keep(void* block) noexcept {
  Block dropped;
  const std::lock_guard lock(mutex_);
  const auto out = out_.find(block);
  if (out == out_.end()) return false;
  Block held = std::move(out->second);
  out_.erase(out);
  const std::size_t size = held->size();
  try {
    kept_.emplace(size, nullptr)->second = std::move(held);
  } catch (...) {
    pinned_bytes_ -= size;
    dropped = std::move(held);
  }
  return true;
}

}  // namespace warmswap
