#include "core/host_memory.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstring>

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

}  // namespace

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
