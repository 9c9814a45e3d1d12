#include "target.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "gpu/cuda_device.h"
#include "gpu/gpu_list.h"

namespace warmswap::bench {
namespace {

constexpr int kFirstGpu = 0;

std::string Describe(const CudaDriver& driver) {
  const Gpu gpu = ListGpus(driver).at(kFirstGpu);
  return gpu.name + ", driver for CUDA " + driver.CudaVersion();
}

/// The provider's library is opened when a session asks for it, and needs others by NVIDIA.
void RequireProvider(Device& device) {
  Ort::SessionOptions options;
  device.AddProvider(options, CudaOptions{}, nullptr);
}

Target OpenGpu(const OrtLibrary& library, const std::filesystem::path& driver_library) {
  if (std::ranges::count(library.providers(), "CUDAExecutionProvider") == 0) {
    throw Error(ErrorCode::kFailedPrecondition, "this ONNX Runtime has no CUDA provider");
  }
  const auto driver = std::make_shared<const CudaDriver>(driver_library);
  auto device = std::make_shared<CudaDevice>(driver, kFirstGpu, library.blocks());
  RequireProvider(*device);
  return {DeviceKind::kCuda, std::move(device), Describe(*driver)};
}

}  // namespace

Target OpenTarget(DeviceKind kind, const OrtLibrary& library, const std::filesystem::path& driver) {
  return kind == DeviceKind::kCpu ? Target{} : OpenGpu(library, driver);
}

}  // namespace warmswap::bench
