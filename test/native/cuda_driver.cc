#include "gpu/cuda_driver.h"

#include <doctest/doctest.h>

#include <string>

#include "core/error.h"
#include "cuda_standin.h"
#include "gpu/gpu_list.h"
#include "gpu/primary_context.h"
#include "support.h"

namespace warmswap::test {

TEST_CASE("the driver tells its version and the GPUs, taking none of their memory") {
  const CudaStandin standin;
  const auto driver = standin.Open();
  CHECK(driver->CudaVersion() == "13.1");
  const std::vector<Gpu> gpus = ListGpus(*driver);
  REQUIRE(gpus.size() == 2);
  CHECK(gpus[1].index == 1);
  CHECK(gpus[1].name == "Stand-in 1");
  CHECK(gpus[1].uuid == "GPU-10111213-1415-1617-1819-1a1b1c1d1e1f");
  CHECK(gpus[1].total_bytes == std::uint64_t{8} << 30U);
  CHECK(standin.counts().contexts == 0);
}

TEST_CASE("a driver library that is missing, or is none, is FAILED_PRECONDITION with its name") {
  const Error missing = ErrorOf([] { const CudaDriver driver("/nowhere/libcuda.so.1"); });
  CHECK(CodeName(missing) == "FAILED_PRECONDITION");
  CHECK(Contains(missing.what(), "/nowhere/libcuda.so.1"));
  const Error other = ErrorOf([] { const CudaDriver driver("libm.so.6"); });
  CHECK(CodeName(other) == "FAILED_PRECONDITION");
  CHECK(Contains(other.what(), "libm.so.6"));
  CHECK(Contains(other.what(), "it has no cuInit"));
}

TEST_CASE("a driver without a GPU is FAILED_PRECONDITION, with the driver's name for it") {
  const CudaStandin standin;
  standin.Set({.gpus = 0});
  const Error error = ErrorOf([&] { standin.Open(); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Message(error) == "cuInit failed: CUDA_ERROR_NO_DEVICE");
}

TEST_CASE("a GPU that there is not is FAILED_PRECONDITION, with how many there are") {
  const CudaStandin standin;
  for (const int number : {-1, 2}) {
    const Error error = ErrorOf([&] { const PrimaryContext context(standin.Open(), number); });
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Message(error) ==
          "there is no GPU " + std::to_string(number) + ": the driver shows 2, counted from 0");
  }
}

TEST_CASE("failures of the driver have its names, and numbers where it has none") {
  const CudaStandin standin;
  const auto driver = standin.Open();
  const auto error_of = [&](int result) {
    return ErrorOf([&] { driver->Check(result, "cuSomething"); });
  };
  driver->Check(cuda::kSuccess, "cuSomething");
  CHECK(Message(error_of(kLaunchFailed)) == "cuSomething failed: CUDA_ERROR_LAUNCH_FAILED");
  CHECK(CodeName(error_of(kLaunchFailed)) == "INTERNAL");
  CHECK(Message(error_of(cuda::kOutOfMemory)) ==
        "cuSomething failed: CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  CHECK(CodeName(error_of(cuda::kOutOfMemory)) == "RESOURCE_EXHAUSTED");
  CHECK(Message(error_of(4711)) == "cuSomething failed: error 4711");
}

TEST_CASE("a context is the thread's only within a scope") {
  const CudaStandin standin;
  const PrimaryContext context(standin.Open(), 0);
  const cuda::Functions& functions = context.driver().functions();
  std::size_t free = 0;
  std::size_t total = 0;
  CHECK(functions.MemGetInfo(&free, &total) != cuda::kSuccess);
  {
    const PrimaryContext::Scope scope(context);
    CHECK(functions.MemGetInfo(&free, &total) == cuda::kSuccess);
  }
  CHECK(functions.MemGetInfo(&free, &total) != cuda::kSuccess);
}

}  // namespace warmswap::test
