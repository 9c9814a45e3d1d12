#include "gpu/cuda_devices.h"

#include "core/error.h"

namespace warmswap {

CudaDevices& CudaDevices::OfProcess() {
  static auto* const devices = std::make_unique<CudaDevices>().release();
  return *devices;
}

std::shared_ptr<const CudaDriver> CudaDevices::Driver(const std::filesystem::path& library) {
  const std::lock_guard lock(mutex_);
  return OpenDriver(library);
}

std::shared_ptr<CudaDevice> CudaDevices::Open(const std::filesystem::path& library, int index,
                                              MemoryPool& fallback) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<const CudaDriver> driver = OpenDriver(library);
  const auto known = devices_.find(index);
  if (known != devices_.end()) return known->second;
  return devices_.emplace(index, std::make_shared<CudaDevice>(driver, index, fallback))
      .first->second;
}

std::shared_ptr<CudaDevice> CudaDevices::Find(int index) const {
  const std::lock_guard lock(mutex_);
  const auto known = devices_.find(index);
  return known == devices_.end() ? nullptr : known->second;
}

std::shared_ptr<const CudaDriver> CudaDevices::OpenDriver(const std::filesystem::path& library) {
  if (!driver_) {
    driver_ = std::make_shared<const CudaDriver>(library);
  } else if (driver_->library() != library) {
    throw Error(ErrorCode::kFailedPrecondition, "this process already uses NVIDIA's driver from " +
                                                    driver_->library().string() + ", not " +
                                                    library.string());
  }
  return driver_;
}

}  // namespace warmswap
