#include "core/host_memory.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/memory_shortage.h"

namespace warmswap {
namespace {

constexpr std::uint64_t kKibibyte = 1024;
constexpr std::size_t kSmallHeap = std::size_t{32} << 20U;
constexpr const char* kStatus = "/proc/self/status";

/// A line such as "MemAvailable:   12345 kB", in bytes.
std::uint64_t ReadBytes(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') continue;
    const std::size_t digits = line.find_first_of("0123456789");
    std::uint64_t kibibytes = 0;
    if (digits == std::string::npos) break;
    std::from_chars(line.data() + digits, line.data() + line.size(), kibibytes);
    return kibibytes * kKibibyte;
  }
  throw Error(ErrorCode::kInternal, std::string(path) + " has no " + std::string(key));
}

/// "max", a file that is missing (the root of a hierarchy has none) and anything else are nothing.
std::optional<std::uint64_t> ReadNumber(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

/// The pages of files that the kernel drops before it gives up.
std::uint64_t ReadReclaimable(const std::filesystem::path& group) {
  std::ifstream file(group / "memory.stat");
  std::uint64_t bytes = 0;
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == "active_file" || key == "inactive_file") bytes += value;
  }
  return bytes;
}

std::optional<std::uint64_t> LeftIn(const std::filesystem::path& group) {
  const std::optional<std::uint64_t> limit = ReadNumber(group / "memory.max");
  if (!limit) return std::nullopt;
  const std::uint64_t current = ReadNumber(group / "memory.current").value_or(0);
  const std::uint64_t used = current - std::min(current, ReadReclaimable(group));
  return *limit - std::min(*limit, used);
}

/// The control group (v2) of this process: "/" in a container that has the hierarchy to itself.
std::string OwnGroup() {
  constexpr std::string_view kVersion2 = "0::";
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(kVersion2)) return line.substr(kVersion2.size());
  }
  return "/";
}

void ResetPeak() {
  std::ofstream references("/proc/self/clear_refs");
  references << '5';
}

}  // namespace

std::uint64_t AvailableHostBytes() {
  const std::uint64_t host = ReadBytes("/proc/meminfo", "MemAvailable");
  return std::min(host, AvailableGroupBytes("/sys/fs/cgroup", OwnGroup()).value_or(host));
}

std::optional<std::uint64_t> AvailableGroupBytes(const std::filesystem::path& root,
                                                 std::string_view group) {
  std::optional<std::uint64_t> least = LeftIn(root);
  std::filesystem::path folder = root;
  for (const auto& name : std::filesystem::path(group).relative_path()) {
    folder /= name;
    const std::optional<std::uint64_t> left = LeftIn(folder);
    if (left) least = std::min(*left, least.value_or(*left));
  }
  return least;
}

void RequireHostBytes(std::uint64_t bytes) {
  const std::uint64_t available = AvailableHostBytes();
  if (bytes > available) throw TooLittleMemory({bytes, available});
}

std::string FormatBytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < kKibibyte) return std::to_string(bytes) + " B";
  std::size_t unit = 0;
  std::uint64_t size = kKibibyte;
  while (unit + 1 < kUnits.size() && bytes / size >= kKibibyte) {
    size *= kKibibyte;
    ++unit;
  }
  const double exact = static_cast<double>(bytes) / static_cast<double>(size);
  const auto tenths = static_cast<std::uint64_t>(std::ceil(exact * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + kUnits.at(unit);
}

std::uint64_t AnonymousBytes() { return ReadBytes(kStatus, "RssAnon"); }

// Older C libraries count in `int`.
void TrimSmallHeap() noexcept {
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
  if (mallinfo2().arena <= kSmallHeap) malloc_trim(0);
#endif
#endif
}

PeakMemory::PeakMemory() : start_(ReadBytes(kStatus, "VmRSS")) { ResetPeak(); }

std::uint64_t PeakMemory::Growth() const {
  const std::uint64_t peak = ReadBytes(kStatus, "VmHWM");
  return peak > start_ ? peak - start_ : 0;
}

}  // namespace warmswap
