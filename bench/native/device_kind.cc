#include "device_kind.h"

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

}  // namespace warmswap::bench
