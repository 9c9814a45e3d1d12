#include "core/buffer_pool.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace warmswap::test {
namespace {

bool IsAligned(const PooledBuffer& buffer) {
  return reinterpret_cast<std::uintptr_t>(buffer.data()) %
             static_cast<std::size_t>(PooledBuffer::kAlignment) ==
         0;
}

}  // namespace

TEST_CASE("buffers of any size are aligned and writable to their last byte") {
  const auto pool = BufferPool::Create(1 << 20);
  for (const std::size_t size : {0, 1, 63, 64, 65, 4096, 100'000}) {
    const PooledBuffer buffer = pool->Take(size);
    CHECK(buffer.size() == size);
    REQUIRE(buffer.data() != nullptr);
    CHECK(IsAligned(buffer));
    std::memset(buffer.data(), 0xab, size);
  }
}

TEST_CASE("memory that was given back is used again, by the same size class only") {
  const auto pool = BufferPool::Create(1 << 20);
  const std::byte* first = pool->Take(1000).data();
  CHECK(pool->idle_bytes() == 1024);
  const PooledBuffer bigger = pool->Take(1025);
  CHECK(pool->idle_bytes() == 1024);
  const PooledBuffer again = pool->Take(1024);
  CHECK(again.data() == first);
  CHECK(pool->idle_bytes() == 0);
}

TEST_CASE("no more than the bound is kept") {
  const auto pool = BufferPool::Create(2048);
  {
    std::vector<PooledBuffer> buffers;
    for (int i = 0; i < 5; ++i) buffers.push_back(pool->Take(1024));
    CHECK(pool->idle_bytes() == 0);
  }
  CHECK(pool->idle_bytes() == 2048);
  { const PooledBuffer huge = pool->Take(1 << 20); }
  CHECK(pool->idle_bytes() == 2048);
}

TEST_CASE("a buffer that moves is given back once, and may outlive its pool's owner") {
  auto pool = BufferPool::Create(1 << 20);
  PooledBuffer kept = pool->Take(100);
  {
    PooledBuffer moved = std::move(kept);
    kept = std::move(moved);
  }
  CHECK(pool->idle_bytes() == 0);
  kept = pool->Take(200);
  CHECK(pool->idle_bytes() == 128);
  pool.reset();
  std::memset(kept.data(), 1, kept.size());
}

TEST_CASE("many threads take and give back") {
  const auto pool = BufferPool::Create(1 << 16);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        const PooledBuffer buffer = pool->Take(static_cast<std::size_t>(64 + i % 3000));
        std::memset(buffer.data(), t, buffer.size());
        REQUIRE(buffer.data()[buffer.size() - 1] == static_cast<std::byte>(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(pool->idle_bytes() <= 1 << 16);
}

}  // namespace warmswap::test
