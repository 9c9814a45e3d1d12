#pragma once

#include <chrono>
#include <cstdint>

namespace load {

/// Nanoseconds of the monotonic clock, the one that timerfd is set by.
using Nanoseconds = std::uint64_t;

inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline constexpr Nanoseconds kNever = UINT64_MAX;

inline Nanoseconds Now() {
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<Nanoseconds>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count());
}

inline Nanoseconds FromSeconds(double seconds) {
  return static_cast<Nanoseconds>(seconds * static_cast<double>(kSecond));
}

inline double ToSeconds(Nanoseconds duration) {
  return static_cast<double>(duration) / static_cast<double>(kSecond);
}

}  // namespace load
