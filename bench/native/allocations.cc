#include "allocations.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

// glibc's own, under names that are not replaced below.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

constinit std::atomic<bool> is_counting = false;
constinit std::atomic<std::uint64_t> allocations = 0;

void CountOne() noexcept {
  if (is_counting.load(std::memory_order_relaxed)) {
    allocations.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

// These take the place of glibc's in every library of the process; its `free` fits them.
extern "C" {

[[gnu::visibility("default")]] void* malloc(std::size_t size) noexcept {
  CountOne();
  return __libc_malloc(size);
}

[[gnu::visibility("default")]] void* calloc(std::size_t count, std::size_t size) noexcept {
  CountOne();
  return __libc_calloc(count, size);
}

[[gnu::visibility("default")]] void* realloc(void* block, std::size_t size) noexcept {
  CountOne();
  return __libc_realloc(block, size);
}

[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment,
                                                   std::size_t size) noexcept {
  CountOne();
  return __libc_memalign(alignment, size);
}

[[gnu::visibility("default")]] int posix_memalign(void** block, std::size_t alignment,
                                                  std::size_t size) noexcept {
  CountOne();
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"

namespace warmswap::bench {

void CountAllocations() noexcept { is_counting = true; }

AllocationReport::AllocationReport(benchmark::State& state) noexcept
    : state_(state), before_(allocations.load()) {}

AllocationReport::~AllocationReport() {
  if (!is_counting) return;
  const auto count = static_cast<double>(allocations.load() - before_);
  state_.counters["allocs"] = benchmark::Counter(count, benchmark::Counter::kAvgIterations);
}

}  // namespace warmswap::bench
