#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ort_library.h"

namespace warmswap::bench {

/// What sessions run on. All cases that make a session are the same for each.
enum class DeviceKind { kCpu, kCuda };

/// "cpu", "cuda".
std::string_view ToString(DeviceKind device) noexcept;
/// Nothing for another name.
std::optional<DeviceKind> DeviceKindFromString(std::string_view name) noexcept;

/// Why no session can be made for it here, if none can.
std::optional<std::string> WhyUnavailable(DeviceKind device, const OrtLibrary& library);

}  // namespace warmswap::bench
