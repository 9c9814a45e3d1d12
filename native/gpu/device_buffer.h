#pragma once

#include <bit>
#include <cstddef>
#include <memory>

#include "gpu/primary_context.h"

namespace warmswap {

/// Memory of a GPU.
class DeviceBuffer {
 public:
  /// Throws what the driver reports; kResourceExhausted if there is too little.
  DeviceBuffer(std::shared_ptr<const PrimaryContext> context, std::size_t bytes);
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer();

  /// For the GPU alone.
  void* data() const noexcept { return std::bit_cast<void*>(address_); }

 private:
  const std::shared_ptr<const PrimaryContext> context_;
  cuda::DevicePointer address_ = 0;
};

}  // namespace warmswap
