#pragma once

#include <optional>
#include <string_view>

namespace warmswap::bench {

/// What sessions run on. All cases that make a session are the same for each.
enum class DeviceKind { kCpu, kCuda };

/// "cpu", "cuda".
std::string_view ToString(DeviceKind device) noexcept;
/// Nothing for another name.
std::optional<DeviceKind> DeviceKindFromString(std::string_view name) noexcept;

}  // namespace warmswap::bench
