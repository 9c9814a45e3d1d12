#include "gpu/cuda_stream.h"

#include <utility>

#include "gpu/device_buffer.h"

namespace warmswap {
namespace {

cuda::DevicePointer AddressOf(const void* memory) {
  return reinterpret_cast<cuda::DevicePointer>(memory);
}

}  // namespace

CudaStream::CudaStream(std::shared_ptr<const PrimaryContext> context)
    : context_(std::move(context)) {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(driver.functions().StreamCreate(&handle_, cuda::kStreamNonBlocking),
               "cuStreamCreate");
}

CudaStream::~CudaStream() {
  Drain();
  try {
    const PrimaryContext::Scope scope(*context_);
    context_->driver().functions().StreamDestroy(handle_);
  } catch (...) {
    // A context that cannot be used any more has lost its streams already.
  }
}

std::shared_ptr<void> CudaStream::Allocate(std::size_t bytes) {
  auto buffer = std::make_shared<DeviceBuffer>(context_, bytes);
  void* const data = buffer->data();
  return {std::move(buffer), data};
}

void CudaStream::CopyToDevice(void* to, std::span<const std::byte> from) {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(driver.functions().MemcpyHtoDAsync(AddressOf(to), from.data(), from.size(), handle_),
               "cuMemcpyHtoDAsync");
}

void CudaStream::CopyToHost(std::span<std::byte> to, const void* from) {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(driver.functions().MemcpyDtoHAsync(to.data(), AddressOf(from), to.size(), handle_),
               "cuMemcpyDtoHAsync");
}

void CudaStream::Wait() {
  const PrimaryContext::Scope scope(*context_);
  const CudaDriver& driver = context_->driver();
  driver.Check(driver.functions().StreamSynchronize(handle_), "cuStreamSynchronize");
}

void CudaStream::Drain() noexcept {
  try {
    Wait();
  } catch (...) {
    // Whoever gave the work learns of it by what failed first.
  }
}

}  // namespace warmswap
