#include "gpu/copy_speed.h"

#include <doctest/doctest.h>

#include <memory>

#include "core/error.h"
#include "cuda_standin.h"
#include "support.h"

namespace warmswap::test {

TEST_CASE("copies are measured both ways, and leave no memory taken") {
  const CudaStandin standin;
  {
    const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
    const CopySpeed speed = MeasureCopySpeed(context, std::size_t{1} << 20U);
    CHECK(speed.to_device > 0);
    CHECK(speed.to_host > 0);
    CHECK(standin.counts().device_bytes == 0);
  }
  CHECK(standin.is_clean());
}

TEST_CASE("a GPU without memory for the measurement is RESOURCE_EXHAUSTED, and nothing is kept") {
  const CudaStandin standin;
  const auto context = std::make_shared<const PrimaryContext>(standin.Open(), 0);
  standin.Set({.taken_by_others = std::size_t{8} << 30U});
  CHECK(CodeName(ErrorOf([&] { MeasureCopySpeed(context, 1); })) == "RESOURCE_EXHAUSTED");
  CHECK(standin.counts().host_blocks == 0);
}

}  // namespace warmswap::test
