#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/device.h"
#include "core/pool_allocator.h"
#include "gpu/copy_speed.h"
#include "gpu/memory_ledger.h"
#include "gpu/pinned_pool.h"
#include "gpu/primary_context.h"

namespace warmswap {

/// A GPU by NVIDIA.
class CudaDevice final : public Device {
 public:
  /// Retains the GPU's context, which takes some of its memory, until this goes. `fallback` is
  /// where memory of the host comes from that is not pinned; it must outlive this. Throws
  /// kFailedPrecondition for a GPU that there is not, and what the driver reports.
  CudaDevice(std::shared_ptr<const CudaDriver> driver, int index, MemoryPool& fallback,
             std::size_t max_pinned_bytes = PinnedPool::kDefaultMaxBytes);

  const std::string& name() const noexcept override { return name_; }
  void AddProvider(Ort::SessionOptions& options, const CudaOptions& cuda, void* stream) override;
  std::unique_ptr<DeviceReservation> Reserve(std::uint64_t bytes) override;
  std::uint64_t FreeBytes() override;
  MemoryPool& host_memory() noexcept override { return pinned_; }
  OrtAllocator* host_allocator() noexcept override { return allocator_.get(); }
  const OrtMemoryInfo* host_info() const noexcept override { return host_info_; }
  const OrtMemoryInfo* device_info() const noexcept override { return device_info_; }
  std::unique_ptr<DeviceStream> NewStream() override;
  std::shared_ptr<const DeviceWeights> CopyWeights(const WeightPlan& plan,
                                                   const LoadCancellation& cancellation) override;

  /// See MeasureCopySpeed.
  CopySpeed MeasureCopies() const { return MeasureCopySpeed(context_); }

  /// What shared weights are opened and filled in.
  const std::shared_ptr<const PrimaryContext>& context() const noexcept { return context_; }

  const PinnedPool& pinned() const noexcept { return pinned_; }
  std::uint64_t reserved_bytes() const { return ledger_.reserved_bytes(); }

 private:
  const std::string name_;
  const std::shared_ptr<const PrimaryContext> context_;
  const Ort::MemoryInfo host_info_;
  const Ort::MemoryInfo device_info_;
  MemoryLedger ledger_;
  PinnedPool pinned_;
  PoolAllocator allocator_;
};

}  // namespace warmswap
