#pragma once

#include <bit>
#include <memory>

#include "gpu/primary_context.h"

namespace warmswap {

/// Memory of a GPU that another process of this host has allocated, opened here. That process must
/// not free it, nor end, while this lives: what it holds then is undefined.
class IpcMemory {
 public:
  /// Throws what the driver reports, which is kInternal for a handle of memory that is gone, and
  /// where the system keeps processes apart.
  IpcMemory(std::shared_ptr<const PrimaryContext> context, const cuda::IpcMemoryHandle& handle);
  IpcMemory(const IpcMemory&) = delete;
  IpcMemory& operator=(const IpcMemory&) = delete;
  ~IpcMemory();

  /// For the GPU alone.
  void* data() const noexcept { return std::bit_cast<void*>(address_); }

 private:
  const std::shared_ptr<const PrimaryContext> context_;
  cuda::DevicePointer address_ = 0;
};

}  // namespace warmswap
