#pragma once

#include <cstddef>

#include "core/memory_pool.h"
#include "core/ort.h"

namespace warmswap {

/// A MemoryPool as ONNX Runtime wants its allocators. Must outlive everything that it gave out.
class PoolAllocator {
 public:
  /// The pool must outlive it; `info` tells ONNX Runtime where its blocks lie.
  PoolAllocator(MemoryPool& pool, Ort::MemoryInfo info);
  PoolAllocator(const PoolAllocator&) = delete;
  PoolAllocator& operator=(const PoolAllocator&) = delete;
  ~PoolAllocator() = default;

  OrtAllocator* get() noexcept { return &interface_; }

 private:
  // ONNX Runtime knows this part and calls its functions with its address.
  struct Interface : OrtAllocator {
    MemoryPool& pool;
    Ort::MemoryInfo info;
    Interface(MemoryPool& blocks, Ort::MemoryInfo where);
  };
  static void* Take(OrtAllocator* self, std::size_t bytes);
  static void Give(OrtAllocator* self, void* block);
  static const OrtMemoryInfo* Info(const OrtAllocator* self);

  Interface interface_;
};

}  // namespace warmswap
