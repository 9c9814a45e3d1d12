#include "core/host_memory.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20U;
// What else a process takes and gives back meanwhile.
constexpr std::size_t kNoise = std::size_t{16} << 20U;

/// Memory that is resident as long as this object.
class Resident {
 public:
  Resident()
      : memory_(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    REQUIRE(memory_ != MAP_FAILED);
    std::memset(memory_, 1, kBytes);
  }
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;
  ~Resident() { munmap(memory_, kBytes); }

 private:
  void* memory_;
};

/// A made-up hierarchy of control groups.
class Groups {
 public:
  void Add(const std::string& group, const std::string& max, std::size_t current,
           std::size_t file = 0) const {
    const std::filesystem::path folder = root_.path() / group;
    std::filesystem::create_directories(folder);
    WriteFile(folder / "memory.max", max + "\n");
    WriteFile(folder / "memory.current", std::to_string(current) + "\n");
    WriteFile(folder / "memory.stat", "anon 7\nactive_file " + std::to_string(file / 2) +
                                          "\ninactive_file " + std::to_string(file - file / 2) +
                                          "\nslab 9\n");
  }
  std::optional<std::uint64_t> Available(std::string_view group) const {
    return AvailableGroupBytes(root_.path(), group);
  }

 private:
  TempDir root_;
};

}  // namespace

TEST_CASE("a control group leaves what its limit does, pages of files aside") {
  const Groups groups;
  groups.Add("a", "1000", 400);
  groups.Add("b", "1000", 900, 600);
  groups.Add("c", "1000", 1001);
  CHECK(groups.Available("/a") == 600);
  CHECK(groups.Available("/b") == 700);
  CHECK(groups.Available("/c") == 0);
}

TEST_CASE("the tightest of a control group and its parents counts") {
  const Groups groups;
  groups.Add("a", "1000", 800);
  groups.Add("a/b", "max", 10);
  groups.Add("a/b/c", "500", 10);
  CHECK(groups.Available("/a/b/c") == 200);
  groups.Add("a", "max", 800);
  CHECK(groups.Available("/a/b/c") == 490);
}

TEST_CASE("control groups without a limit, and none at all, leave everything") {
  const Groups groups;
  groups.Add("a", "max", 10);
  CHECK(groups.Available("/a") == std::nullopt);
  CHECK(groups.Available("/") == std::nullopt);
  CHECK(groups.Available("/missing/too") == std::nullopt);
}

TEST_CASE("what is available is granted, what is not is refused with the numbers") {
  RequireHostBytes(1);
  constexpr std::uint64_t kTooMany = std::uint64_t{1} << 60U;
  const Error error = ErrorOf([] { RequireHostBytes(kTooMany); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  CHECK(Contains(error.what(), "takes about 1.0 EiB of memory"));
  REQUIRE(error.shortage());
  const auto [needed, available, device] = *error.shortage();
  CHECK(device.empty());
  CHECK(needed == kTooMany);
  CHECK(available > 0);
  CHECK(available < needed);
  const std::string missing = std::to_string(needed - available);
  CHECK(Contains(error.what(), std::to_string(available) + " and " + missing + " bytes"));
  CHECK(Contains(error.what(), FormatBytes(needed - available) + " too little"));
}

TEST_CASE("sizes for people are rounded up, in the unit that suits them") {
  CHECK(FormatBytes(0) == "0 B");
  CHECK(FormatBytes(1023) == "1023 B");
  CHECK(FormatBytes(1024) == "1.0 KiB");
  CHECK(FormatBytes(1025) == "1.1 KiB");
  CHECK(FormatBytes(1536) == "1.5 KiB");
  CHECK(FormatBytes((std::uint64_t{1} << 20U) - 1) == "1024.0 KiB");
  CHECK(FormatBytes(std::uint64_t{3} << 30U) == "3.0 GiB");
  CHECK(FormatBytes(~std::uint64_t{0}) == "16.0 EiB");
}

TEST_CASE("the host has memory left, and less than a pebibyte") {
  CHECK(AvailableHostBytes() > kBytes);
  CHECK(AvailableHostBytes() < std::uint64_t{1} << 50U);
}

TEST_CASE("anonymous memory counts what was touched, until it is given back") {
  const std::uint64_t before = AnonymousBytes();
  {
    const Resident resident;
    CHECK(AnonymousBytes() + kNoise > before + kBytes);
  }
  CHECK(AnonymousBytes() < before + kNoise);
}

TEST_CASE("the peak of memory stays when the memory has been given back") {
  const PeakMemory memory;
  CHECK(memory.Growth() < kBytes - kNoise);
  { const Resident resident; }
  CHECK(memory.Growth() + kNoise > kBytes);
}

}  // namespace warmswap::test
