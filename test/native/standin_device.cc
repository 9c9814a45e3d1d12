#include "standin_device.h"

#include <algorithm>
#include <utility>

#include "gpu/weight_copy.h"
#include "support.h"

namespace warmswap::test {
namespace {

/// The processor, unlike a GPU, does not wait for copies that a stream has still to do.
class OrderedStream final : public DeviceStream {
 public:
  explicit OrderedStream(std::unique_ptr<DeviceStream> stream) : stream_(std::move(stream)) {}

  void* handle() const noexcept override { return stream_->handle(); }
  std::shared_ptr<void> Allocate(std::size_t bytes) override { return stream_->Allocate(bytes); }
  void CopyToDevice(void* to, std::span<const std::byte> from) override {
    stream_->CopyToDevice(to, from);
    stream_->Wait();
  }
  void CopyToHost(std::span<std::byte> to, const void* from) override {
    stream_->CopyToHost(to, from);
  }
  void Wait() override { stream_->Wait(); }
  void Drain() noexcept override { stream_->Drain(); }

 private:
  const std::unique_ptr<DeviceStream> stream_;
};

Ort::MemoryInfo HostInfo() {
  Library();
  return Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
}

}  // namespace

StandinDevice::StandinDevice(const CudaStandin& standin)
    : cuda_((Library(), standin.Open()), 0, TestBlocks()),
      info_(HostInfo()),
      pinned_(std::make_shared<const PrimaryContext>(standin.Open(), 0), TestBlocks(), HostInfo()),
      allocator_(pinned_, HostInfo()) {}

void StandinDevice::AddProvider(Ort::SessionOptions& /*options*/, const CudaOptions& /*cuda*/,
                                void* stream) {
  ++sessions_;
  if (stream != nullptr) ++streams_;
}

std::unique_ptr<DeviceReservation> StandinDevice::Reserve(std::uint64_t bytes) {
  auto reservation = cuda_.Reserve(bytes);
  most_reserved_ = std::max(most_reserved_, cuda_.reserved_bytes());
  return reservation;
}

std::unique_ptr<DeviceStream> StandinDevice::NewStream() {
  return std::make_unique<OrderedStream>(cuda_.NewStream());
}

std::shared_ptr<const DeviceWeights> StandinDevice::CopyWeights(
    const WeightPlan& plan, const LoadCancellation& cancellation) {
  ++weight_copies_;
  return CopyToOwnMemory(cuda_.context(), plan, info_, cancellation);
}

}  // namespace warmswap::test
