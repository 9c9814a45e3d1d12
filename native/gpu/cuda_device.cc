#include "gpu/cuda_device.h"

#include <utility>

#include "gpu/cuda_provider.h"
#include "gpu/cuda_stream.h"
#include "gpu/weight_copy.h"

namespace warmswap {
namespace {

// ONNX Runtime knows both by these names.
Ort::MemoryInfo PinnedInfo(int index) {
  return {"CudaPinned", OrtDeviceAllocator, index, OrtMemTypeCPUOutput};
}

Ort::MemoryInfo DeviceInfo(int index) {
  return {"Cuda", OrtDeviceAllocator, index, OrtMemTypeDefault};
}

}  // namespace

CudaDevice::CudaDevice(std::shared_ptr<const CudaDriver> driver, int index, MemoryPool& fallback,
                       std::size_t max_pinned_bytes)
    : name_("cuda:" + std::to_string(index)),
      context_(std::make_shared<const PrimaryContext>(std::move(driver), index)),
      host_info_(PinnedInfo(index)),
      device_info_(DeviceInfo(index)),
      ledger_(name_),
      pinned_(context_, fallback, PinnedInfo(index), max_pinned_bytes),
      allocator_(pinned_, PinnedInfo(index)) {}

void CudaDevice::AddProvider(Ort::SessionOptions& options, const CudaOptions& cuda, void* stream) {
  AddCudaProvider(options, cuda, stream);
}

std::unique_ptr<DeviceReservation> CudaDevice::Reserve(std::uint64_t bytes) {
  return ledger_.Reserve(bytes, [this] { return FreeBytes(); });
}

std::uint64_t CudaDevice::FreeBytes() {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  std::size_t free = 0;
  std::size_t total = 0;
  driver.Check(driver.functions().MemGetInfo(&free, &total), "cuMemGetInfo");
  return free;
}

std::unique_ptr<DeviceStream> CudaDevice::NewStream() {
  return std::make_unique<CudaStream>(context_);
}

std::shared_ptr<const DeviceWeights> CudaDevice::CopyWeights(const WeightPlan& plan,
                                                             const LoadCancellation& cancellation) {
  return CopyToOwnMemory(context_, plan, device_info_, cancellation);
}

}  // namespace warmswap
