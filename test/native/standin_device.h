#pragma once

#include <memory>
#include <string>

#include "core/device.h"
#include "core/pool_allocator.h"
#include "cuda_standin.h"
#include "gpu/cuda_device.h"
#include "gpu/pinned_pool.h"

namespace warmswap::test {

/// A device over the stand-in's driver whose sessions run on the processor, to which its memory is
/// plain memory: what the core does for a device is done, and gives answers, without a GPU.
class StandinDevice final : public Device {
 public:
  explicit StandinDevice(const CudaStandin& standin);

  const std::string& name() const noexcept override { return cuda_.name(); }
  void AddProvider(Ort::SessionOptions& options, const CudaOptions& cuda, void* stream) override;
  std::unique_ptr<DeviceReservation> Reserve(std::uint64_t bytes) override;
  std::uint64_t FreeBytes() override {
    return cuda_.FreeBytes() - static_cast<std::uint64_t>(sessions_) * bytes_a_session;
  }
  MemoryPool& host_memory() noexcept override { return pinned_; }
  OrtAllocator* host_allocator() noexcept override { return allocator_.get(); }
  const OrtMemoryInfo* host_info() const noexcept override { return info_; }
  const OrtMemoryInfo* device_info() const noexcept override { return info_; }
  std::unique_ptr<DeviceStream> NewStream() override;
  std::shared_ptr<const DeviceWeights> CopyWeights(const WeightPlan& plan,
                                                   const LoadCancellation& cancellation) override;

  const std::shared_ptr<const PrimaryContext>& context() const { return cuda_.context(); }

  /// Of the device's memory, what each session is to look as if it took it.
  std::uint64_t bytes_a_session = 0;

  const PinnedPool& pinned() const noexcept { return pinned_; }
  /// Sessions that were made, and how many of them with a stream.
  int sessions() const noexcept { return sessions_; }
  int streams() const noexcept { return streams_; }
  int weight_copies() const noexcept { return weight_copies_; }
  /// The most that was set aside at once.
  std::uint64_t most_reserved() const noexcept { return most_reserved_; }

 private:
  CudaDevice cuda_;
  const Ort::MemoryInfo info_;
  PinnedPool pinned_;
  PoolAllocator allocator_;
  int sessions_ = 0;
  int streams_ = 0;
  int weight_copies_ = 0;
  std::uint64_t most_reserved_ = 0;
};

}  // namespace warmswap::test
