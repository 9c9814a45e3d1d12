#include "gpu/cuda_driver.h"

#include <dlfcn.h>

#include "core/error.h"

namespace warmswap {
namespace {

/// An opened library from which functions are taken by name.
class Symbols {
 public:
  // Never closed: the driver's threads would be left without their code.
  explicit Symbols(const std::filesystem::path& library)
      : library_(library), handle_(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
    if (handle_ == nullptr) {
      throw Error(ErrorCode::kFailedPrecondition,
                  "cannot open NVIDIA's driver library: " + std::string(dlerror()));
    }
  }

  template <typename Function>
  void Take(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    if (function != nullptr) return;
    throw Error(ErrorCode::kFailedPrecondition,
                library_.string() + " is no driver library that can be used: it has no " + name);
  }

 private:
  const std::filesystem::path& library_;
  void* const handle_;
};

// A suffix is the version of a function's interface. The names are those of CUDA 11.4 and later.
cuda::Functions TakeFunctions(const std::filesystem::path& library) {
  const Symbols symbols(library);
  cuda::Functions functions{};
  symbols.Take(functions.Init, "cuInit");
  symbols.Take(functions.DriverGetVersion, "cuDriverGetVersion");
  symbols.Take(functions.GetErrorName, "cuGetErrorName");
  symbols.Take(functions.GetErrorString, "cuGetErrorString");
  symbols.Take(functions.DeviceGetCount, "cuDeviceGetCount");
  symbols.Take(functions.DeviceGet, "cuDeviceGet");
  symbols.Take(functions.DeviceGetName, "cuDeviceGetName");
  symbols.Take(functions.DeviceGetUuid, "cuDeviceGetUuid_v2");
  symbols.Take(functions.DeviceTotalMem, "cuDeviceTotalMem_v2");
  symbols.Take(functions.DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
  symbols.Take(functions.DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
  symbols.Take(functions.CtxPushCurrent, "cuCtxPushCurrent_v2");
  symbols.Take(functions.CtxPopCurrent, "cuCtxPopCurrent_v2");
  symbols.Take(functions.ThreadExchangeStreamCaptureMode, "cuThreadExchangeStreamCaptureMode");
  symbols.Take(functions.MemGetInfo, "cuMemGetInfo_v2");
  symbols.Take(functions.MemAlloc, "cuMemAlloc_v2");
  symbols.Take(functions.MemFree, "cuMemFree_v2");
  symbols.Take(functions.MemHostAlloc, "cuMemHostAlloc");
  symbols.Take(functions.MemFreeHost, "cuMemFreeHost");
  symbols.Take(functions.MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2");
  symbols.Take(functions.MemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2");
  symbols.Take(functions.StreamCreate, "cuStreamCreate");
  symbols.Take(functions.StreamSynchronize, "cuStreamSynchronize");
  symbols.Take(functions.StreamDestroy, "cuStreamDestroy_v2");
  symbols.Take(functions.IpcGetMemHandle, "cuIpcGetMemHandle");
  symbols.Take(functions.IpcOpenMemHandle, "cuIpcOpenMemHandle_v2");
  symbols.Take(functions.IpcCloseMemHandle, "cuIpcCloseMemHandle");
  return functions;
}

ErrorCode ToErrorCode(cuda::Result result) noexcept {
  switch (result) {
    case cuda::kOutOfMemory:
      return ErrorCode::kResourceExhausted;
    case cuda::kNotInitialized:
    case cuda::kDeinitialized:
    case cuda::kStubLibrary:
    case cuda::kDeviceUnavailable:
    case cuda::kNoDevice:
    case cuda::kInvalidDevice:
    case cuda::kSystemNotReady:
    case cuda::kSystemDriverMismatch:
    case cuda::kCompatNotSupported:
      return ErrorCode::kFailedPrecondition;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

CudaDriver::CudaDriver(const std::filesystem::path& library)
    : library_(library), functions_(TakeFunctions(library_)) {
  Check(functions_.Init(0), "cuInit");
}

void CudaDriver::Check(cuda::Result result, const char* what) const {
  if (result == cuda::kSuccess) return;
  const char* name = nullptr;
  const char* text = nullptr;
  functions_.GetErrorName(result, &name);
  functions_.GetErrorString(result, &text);
  const std::string number = "error " + std::to_string(result);
  throw Error(ToErrorCode(result), std::string(what) +
                                       " failed: " + (name != nullptr ? name : number) +
                                       (text != nullptr ? " (" + std::string(text) + ")" : ""));
}

int CudaDriver::CountGpus() const {
  int count = 0;
  Check(functions_.DeviceGetCount(&count), "cuDeviceGetCount");
  return count;
}

std::string CudaDriver::CudaVersion() const {
  int version = 0;
  Check(functions_.DriverGetVersion(&version), "cuDriverGetVersion");
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

cuda::DeviceHandle CudaDriver::GetGpu(int index) const {
  const int count = CountGpus();
  if (index < 0 || index >= count) {
    throw Error(ErrorCode::kFailedPrecondition, "there is no GPU " + std::to_string(index) +
                                                    ": the driver shows " + std::to_string(count) +
                                                    ", counted from 0");
  }
  cuda::DeviceHandle device = 0;
  Check(functions_.DeviceGet(&device, index), "cuDeviceGet");
  return device;
}

}  // namespace warmswap
