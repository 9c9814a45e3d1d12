#pragma once

#include "core/block_pool.h"
#include "core/ort.h"
#include "core/pool_allocator.h"

namespace warmswap {

/// ONNX Runtime's memory on the host, from a BlockPool: the buffer into which a session packs one
/// weight after the other while it loads, activations, outputs. Shared by all sessions that ask
/// for the environment's allocators; must outlive them and everything that they gave out.
class HostAllocator {
 public:
  HostAllocator();
  HostAllocator(const HostAllocator&) = delete;
  HostAllocator& operator=(const HostAllocator&) = delete;
  ~HostAllocator() = default;

  /// Makes it the allocator of `env`.
  void Register(const Ort::Env& env);

  BlockPool& blocks() noexcept { return pool_; }

  /// Gives memory that is not in use back to the system, the heap's as well.
  void ReleaseUnused() noexcept;

 private:
  BlockPool pool_;
  PoolAllocator allocator_;
};

}  // namespace warmswap
