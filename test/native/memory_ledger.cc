#include "gpu/memory_ledger.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {}  // namespace

TEST_CASE("what loads have set aside is not there for others, until they are done") {
  MemoryLedger ledger("cuda:1");
  const auto free = [] { return 4 * kGigabyte; };
  auto first = ledger.Reserve(3 * kGigabyte, free);
  CHECK(ledger.reserved_bytes() == 3 * kGigabyte);
  const Error error = ErrorOf([&] { ledger.Reserve(2 * kGigabyte, free); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  CHECK(ledger.reserved_bytes() == 3 * kGigabyte);
  const auto second = ledger.Reserve(kGigabyte, free);
  first.reset();
  CHECK(ledger.reserved_bytes() == kGigabyte);
  const auto third = ledger.Reserve(3 * kGigabyte, free);
}

TEST_CASE("too little memory is refused with the numbers and the device") {
  MemoryLedger ledger("cuda:1");
  const Error error = ErrorOf([&] { ledger.Reserve(3 * kGigabyte, [] { return kGigabyte; }); });
  REQUIRE(error.shortage());
  CHECK(error.shortage()->needed_bytes == 3 * kGigabyte);
  CHECK(error.shortage()->available_bytes == kGigabyte);
  CHECK(error.shortage()->device == "cuda:1");
  CHECK(Message(error) ==
        "loading takes about 3.0 GiB of the memory of cuda:1, there are 1.0 GiB available: 2.0 GiB "
        "too little (3221225472, 1073741824 and 2147483648 bytes)");
}

TEST_CASE("more set aside than is left means that nothing is available") {
  MemoryLedger ledger("cuda:0");
  const auto held = ledger.Reserve(3 * kGigabyte, [] { return 3 * kGigabyte; });
  const Error error = ErrorOf([&] { ledger.Reserve(1, [] { return kGigabyte; }); });
  CHECK(error.shortage()->available_bytes == 0);
}

TEST_CASE("a free memory that cannot be measured sets nothing aside") {
  MemoryLedger ledger("cuda:0");
  CHECK_THROWS(ledger.Reserve(
      1, []() -> std::uint64_t { throw Error(ErrorCode::kInternal, "cannot tell"); }));
  CHECK(ledger.reserved_bytes() == 0);
}

TEST_CASE("a reservation may outlive its ledger") {
  auto ledger = std::make_unique<MemoryLedger>("cuda:0");
  const auto held = ledger->Reserve(1, [] { return kGigabyte; });
  ledger.reset();
}

}  // namespace warmswap::test
