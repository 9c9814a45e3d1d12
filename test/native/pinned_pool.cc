#include "gpu/pinned_pool.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "cuda_standin.h"
#include "support.h"

namespace warmswap::test {
namespace {

Ort::MemoryInfo PinnedInfo() {
  Library();
  return {"CudaPinned", OrtDeviceAllocator, 0, OrtMemTypeCPUOutput};
}

PinnedPool PoolOf(const CudaStandin& standin,
                  std::size_t max_bytes = PinnedPool::kDefaultMaxBytes) {
  auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  return {std::move(context), TestBlocks(), PinnedInfo(), max_bytes};
}

}  // namespace

TEST_CASE("pinned blocks of any size can be written from end to end, and are all unpinned") {
  const CudaStandin standin;
  {
    PinnedPool pool = PoolOf(standin);
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4097}, kMegabyte,
                                    kMegabyte + 1, 3 * kMegabyte}) {
      void* block = pool.Take(bytes);
      REQUIRE(block != nullptr);
      CHECK(pool.InfoOf(block) != nullptr);
      std::memset(block, 1, bytes);
      pool.Give(block);
      CHECK(pool.InfoOf(block) == nullptr);
    }
    CHECK(pool.misses() == 0);
    CHECK(standin.counts().host_bytes == pool.pinned_bytes());
    pool.Give(nullptr);
  }
  CHECK(standin.is_clean());
}

TEST_CASE("a pinned block is used again for one of about its size, and only then") {
  const CudaStandin standin;
  PinnedPool pool = PoolOf(standin);
  void* block = pool.Take(8 * kMegabyte);
  pool.Give(block);
  void* larger = pool.Take(9 * kMegabyte);
  CHECK(larger != block);
  void* much_smaller = pool.Take(5 * kMegabyte);
  CHECK(much_smaller != block);
  void* smaller = pool.Take(7 * kMegabyte);
  CHECK(smaller == block);
  for (void* taken : {larger, much_smaller, smaller}) pool.Give(taken);
  CHECK(pool.pinned_bytes() == 22 * kMegabyte);
}

TEST_CASE("beyond the bound blocks are pageable, until pinned ones come back") {
  const CudaStandin standin;
  PinnedPool pool = PoolOf(standin, 3 * kMegabyte);
  void* first = pool.Take(2 * kMegabyte);
  void* second = pool.Take(2 * kMegabyte);
  REQUIRE(second != nullptr);
  CHECK(pool.InfoOf(first) != nullptr);
  CHECK(pool.InfoOf(second) == nullptr);
  CHECK(pool.misses() == 1);
  CHECK(pool.pinned_bytes() == 2 * kMegabyte);
  pool.Give(second);
  pool.Give(first);
  void* third = pool.Take(2 * kMegabyte);
  CHECK(third == first);
  pool.Give(third);
  void* too_large = pool.Take(4 * kMegabyte);
  CHECK(pool.InfoOf(too_large) == nullptr);
  pool.Give(too_large);
  CHECK(pool.misses() == 2);
}

TEST_CASE("what is kept makes room for another size") {
  const CudaStandin standin;
  PinnedPool pool = PoolOf(standin, 3 * kMegabyte);
  for (int i = 0; i < 2; ++i) {
    void* large = pool.Take(3 * kMegabyte);
    CHECK(pool.InfoOf(large) != nullptr);
    pool.Give(large);
    void* small = pool.Take(kMegabyte);
    CHECK(pool.InfoOf(small) != nullptr);
    pool.Give(small);
  }
  CHECK(pool.misses() == 0);
  CHECK(standin.counts().host_bytes == pool.pinned_bytes());
}

TEST_CASE("where nothing can be pinned blocks are pageable") {
  const CudaStandin standin;
  PinnedPool pool = PoolOf(standin);
  standin.Set({.pins_nothing = true});
  void* block = pool.Take(kMegabyte);
  REQUIRE(block != nullptr);
  CHECK(pool.InfoOf(block) == nullptr);
  CHECK(pool.pinned_bytes() == 0);
  pool.Give(block);
  CHECK(pool.misses() == 1);
}

TEST_CASE("trimming unpins what is kept and nothing else") {
  const CudaStandin standin;
  PinnedPool pool = PoolOf(standin);
  void* used = pool.Take(kMegabyte);
  pool.Give(pool.Take(2 * kMegabyte));
  pool.Trim();
  CHECK(pool.pinned_bytes() == kMegabyte);
  CHECK(standin.counts().host_bytes == kMegabyte);
  std::memset(used, 1, kMegabyte);
  pool.Give(used);
}

TEST_CASE("many threads take and give pinned blocks, each its own") {
  const CudaStandin standin;
  PinnedPool pool = PoolOf(standin, 4 * kMegabyte);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&pool, &wrong, t] {
      for (int i = 0; i < 100; ++i) {
        auto* block = static_cast<std::uint8_t*>(pool.Take(kMegabyte + 1));
        block[0] = static_cast<std::uint8_t>(t);
        block[kMegabyte] = static_cast<std::uint8_t>(t);
        std::this_thread::yield();
        if (block[0] != t || block[kMegabyte] != t) ++wrong[t];
        pool.Give(block);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
  CHECK(pool.pinned_bytes() <= 4 * kMegabyte);
}

}  // namespace warmswap::test
