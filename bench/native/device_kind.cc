#include "device_kind.h"

#include <algorithm>

namespace warmswap::bench {

std::string_view ToString(DeviceKind device) noexcept {
  return device == DeviceKind::kCpu ? "cpu" : "cuda";
}

std::optional<DeviceKind> DeviceKindFromString(std::string_view name) noexcept {
  for (const DeviceKind device : {DeviceKind::kCpu, DeviceKind::kCuda}) {
    if (name == ToString(device)) return device;
  }
  return std::nullopt;
}

std::optional<std::string> WhyUnavailable(DeviceKind device, const OrtLibrary& library) {
  if (device == DeviceKind::kCpu) return std::nullopt;
  if (std::ranges::count(library.providers(), "CUDAExecutionProvider") == 0) {
    return "this ONNX Runtime has no CUDA provider";
  }
  return "sessions of this version run on the CPU alone";
}

}  // namespace warmswap::bench
