#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/device.h"
#include "gpu/primary_context.h"

namespace warmswap {

/// A stream of a GPU, which waits for no other one.
class CudaStream final : public DeviceStream {
 public:
  /// Throws what the driver reports.
  explicit CudaStream(std::shared_ptr<const PrimaryContext> context);
  /// Waits for the work under way.
  ~CudaStream() override;

  void* handle() const noexcept override { return handle_; }
  std::shared_ptr<void> Allocate(std::size_t bytes) override;
  void CopyToDevice(void* to, std::span<const std::byte> from) override;
  void CopyToHost(std::span<std::byte> to, const void* from) override;
  void Wait() override;
  void Drain() noexcept override;

 private:
  const std::shared_ptr<const PrimaryContext> context_;
  cuda::StreamHandle handle_ = nullptr;
};

}  // namespace warmswap
