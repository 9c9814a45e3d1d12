#pragma once

#include <cstddef>

#include "core/ort.h"

namespace warmswap {

/// Where the elements of tensors lie. Thread-safe.
class MemoryPool {
 public:
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// A block of at least `bytes` with any contents, aligned to 64 bytes; null if there is no
  /// memory.
  virtual void* Take(std::size_t bytes) noexcept = 0;
  /// Takes back what Take gave; null is fine.
  virtual void Give(void* block) noexcept = 0;
  /// What ONNX Runtime is to know of a block that is out; null for plain memory of the host.
  virtual const OrtMemoryInfo* InfoOf(const void* /*block*/) const noexcept { return nullptr; }

 protected:
  MemoryPool() = default;
  ~MemoryPool() = default;
};

}  // namespace warmswap
