#include "core/block_pool.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "support.h"

namespace warmswap::test {
namespace {

bool IsAligned(const void* block) {
  return reinterpret_cast<std::uintptr_t>(block) % BlockPool::kAlignment == 0;
}

}  // namespace

TEST_CASE("blocks of any size are aligned and can be written from end to end") {
  BlockPool pool;
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{65}, BlockPool::kLargeBytes - 1,
        BlockPool::kLargeBytes, BlockPool::kLargeBytes + 1, 3 * kMegabyte}) {
    void* block = pool.Take(bytes);
    REQUIRE(block != nullptr);
    CHECK(IsAligned(block));
    std::memset(block, 1, bytes);
    pool.Give(block);
  }
}

TEST_CASE("a large block is used again for one of about its size, and only then") {
  BlockPool pool;
  void* block = pool.Take(8 * kMegabyte);
  pool.Give(block);
  CHECK(pool.kept_bytes() >= 8 * kMegabyte);
  void* larger = pool.Take(9 * kMegabyte);
  CHECK(larger != block);
  void* much_smaller = pool.Take(5 * kMegabyte);
  CHECK(much_smaller != block);
  void* smaller = pool.Take(7 * kMegabyte);
  CHECK(smaller == block);
  CHECK(pool.kept_bytes() == 0);
  for (void* taken : {larger, much_smaller, smaller}) pool.Give(taken);
}

TEST_CASE("small blocks are not kept") {
  BlockPool pool;
  pool.Give(pool.Take(BlockPool::kLargeBytes - 1));
  CHECK(pool.kept_bytes() == 0);
}

TEST_CASE("what is kept is bounded, or is one block") {
  BlockPool pool;
  constexpr std::size_t kCount = 5;
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < kCount; ++i) {
    blocks.push_back(pool.Take(BlockPool::kMaxKeptBytes / 2 - kMegabyte));
  }
  for (void* block : blocks) pool.Give(block);
  CHECK(pool.kept_bytes() <= BlockPool::kMaxKeptBytes);
  pool.Give(pool.Take(2 * BlockPool::kMaxKeptBytes));
  CHECK(pool.kept_bytes() >= 2 * BlockPool::kMaxKeptBytes);
  pool.Give(pool.Take(kMegabyte));
  CHECK(pool.kept_bytes() < 2 * kMegabyte);
}

TEST_CASE("trimming frees what is kept, and leaves what is out") {
  BlockPool pool;
  void* out = pool.Take(kMegabyte);
  pool.Give(pool.Take(2 * kMegabyte));
  pool.Trim();
  CHECK(pool.kept_bytes() == 0);
  std::memset(out, 1, kMegabyte);
  pool.Give(out);
}

TEST_CASE("a block that there is no memory for is null, and null can be given back") {
  BlockPool pool;
  CHECK(pool.Take(std::numeric_limits<std::size_t>::max()) == nullptr);
  CHECK(pool.Take(std::size_t{1} << 60U) == nullptr);
  pool.Give(nullptr);
}

TEST_CASE("threads take and give at once, each has its blocks for itself") {
  BlockPool pool;
  std::vector<std::thread> threads;
  std::vector<int> broken(4, 0);
  for (std::size_t t = 0; t < broken.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        auto* block = static_cast<std::uint8_t*>(pool.Take(BlockPool::kLargeBytes));
        std::memset(block, static_cast<int>(t), 64);
        std::this_thread::yield();
        if (block[0] != t || block[63] != t) ++broken[t];
        pool.Give(block);
        if (i % 10 == 0) pool.Trim();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(broken == std::vector<int>(4, 0));
}

}  // namespace warmswap::test
