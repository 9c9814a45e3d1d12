#include "core/host_memory.h"

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.h"

namespace warmswap {
namespace {

constexpr std::uint64_t kKibibyte = 1024;
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

void ResetPeak() {
  std::ofstream references("/proc/self/clear_refs");
  references << '5';
}

}  // namespace

std::uint64_t AvailableHostBytes() { return ReadBytes("/proc/meminfo", "MemAvailable"); }

std::uint64_t AnonymousBytes() { return ReadBytes(kStatus, "RssAnon"); }

PeakMemory::PeakMemory() : start_(ReadBytes(kStatus, "VmRSS")) { ResetPeak(); }

std::uint64_t PeakMemory::Growth() const {
  const std::uint64_t peak = ReadBytes(kStatus, "VmHWM");
  return peak > start_ ? peak - start_ : 0;
}

}  // namespace warmswap
