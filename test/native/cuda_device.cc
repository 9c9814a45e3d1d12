#include "gpu/cuda_device.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/error.h"
#include "core/session.h"
#include "cuda_standin.h"
#include "gpu/cuda_devices.h"
#include "support.h"

namespace warmswap::test {
namespace {

std::unique_ptr<CudaDevice> OpenDevice(const CudaStandin& standin, int index = 0) {
  Library();
  return std::make_unique<CudaDevice>(standin.Open(), index, TestBlocks());
}

}  // namespace

TEST_CASE("a device has a name, and a context for as long as it lives") {
  const CudaStandin standin;
  {
    const auto device = OpenDevice(standin, 1);
    CHECK(device->name() == "cuda:1");
    CHECK(standin.counts().contexts == 1);
  }
  CHECK(standin.counts().contexts == 0);
}

TEST_CASE("free memory falls by what is taken, and rises when it is given back") {
  const CudaStandin standin;
  const auto device = OpenDevice(standin);
  CHECK(device->FreeBytes() == 7 * kGigabyte);
  const auto stream = device->NewStream();
  {
    const auto memory = stream->Allocate(kGigabyte);
    CHECK(device->FreeBytes() == 6 * kGigabyte);
  }
  CHECK(device->FreeBytes() == 7 * kGigabyte);
}

TEST_CASE("more than the device has free is RESOURCE_EXHAUSTED with the numbers") {
  const CudaStandin standin;
  const auto device = OpenDevice(standin);
  standin.Set({.taken_by_others = 6 * kGigabyte});
  const auto held = device->Reserve(kGigabyte);
  CHECK(device->reserved_bytes() == kGigabyte);
  const Error error = ErrorOf([&] { device->Reserve(2 * kGigabyte); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  REQUIRE(error.shortage());
  CHECK(error.shortage()->needed_bytes == 2 * kGigabyte);
  CHECK(error.shortage()->available_bytes == kGigabyte);
  CHECK(error.shortage()->device == "cuda:0");
}

TEST_CASE("memory of the device that cannot be had is RESOURCE_EXHAUSTED") {
  const CudaStandin standin;
  const auto device = OpenDevice(standin);
  const auto stream = device->NewStream();
  const Error error = ErrorOf([&] { stream->Allocate(9 * kGigabyte); });
  CHECK(CodeName(error) == "RESOURCE_EXHAUSTED");
  CHECK(Contains(error.what(), "cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY"));
}

TEST_CASE("what is copied to a device comes back, once it has been waited for") {
  const CudaStandin standin;
  const auto device = OpenDevice(standin);
  const auto stream = device->NewStream();
  const std::vector<float> numbers{1, 2.5F, -3};
  std::vector<float> back(numbers.size());
  const auto memory = stream->Allocate(numbers.size() * sizeof(float));
  stream->CopyToDevice(memory.get(), AsBytes(numbers));
  stream->CopyToHost(std::as_writable_bytes(std::span(back)), memory.get());
  stream->Wait();
  CHECK(back == numbers);
}

TEST_CASE("whichever call of the driver fails, it is reported and nothing is leaked") {
  const CudaStandin standin;
  const auto use = [&] {
    const auto device = OpenDevice(standin);
    const auto reservation = device->Reserve(kGigabyte);
    std::vector<float> number{1};
    const auto stream = device->NewStream();
    const auto memory = stream->Allocate(sizeof(float));
    stream->CopyToDevice(memory.get(), AsBytes(number));
    stream->CopyToHost(std::as_writable_bytes(std::span(number)), memory.get());
    stream->Wait();
    standin.Set({});  // what follows is cleaning up
  };
  constexpr long kCalls = 4 + 6 * 3;  // to open the device, and for each use of its context
  for (long failing = 1; failing <= kCalls; ++failing) {
    CAPTURE(failing);
    standin.Set({.failing_call = failing, .failure = kLaunchFailed});
    CHECK(Contains(ErrorOf(use).what(), "CUDA_ERROR_LAUNCH_FAILED"));
    CHECK(standin.is_clean());
  }
  standin.Set({.failing_call = kCalls + 100, .failure = kLaunchFailed});
  use();
}

TEST_CASE("an ONNX Runtime without CUDA is FAILED_PRECONDITION, and the memory is there again") {
  const CudaStandin standin;
  Library();
  {
    const auto device = std::make_shared<CudaDevice>(standin.Open(), 0, TestBlocks());
    for (const bool graphs : {false, true}) {
      const SessionOptions options{.device = device, .cuda = {.graphs = graphs}};
      const Error error =
          ErrorOf([&] { const Session session(Library(), ModelPath("shift/1"), options); });
      CHECK(CodeName(error) == "FAILED_PRECONDITION");
      CHECK(Contains(error.what(), "this ONNX Runtime cannot use CUDA"));
    }
    CHECK(standin.counts().streams == 0);
  }
}

TEST_CASE("a process opens each GPU once, with one driver") {
  const CudaStandin standin;
  Library();
  CudaDevices devices;
  CHECK(devices.Find(0) == nullptr);
  const auto first = devices.Open(CudaStandin::path(), 0, TestBlocks());
  CHECK(devices.Open(CudaStandin::path(), 0, TestBlocks()) == first);
  CHECK(devices.Find(0) == first);
  CHECK(devices.Open(CudaStandin::path(), 1, TestBlocks()) != first);
  CHECK(standin.counts().contexts == 2);
  const Error error = ErrorOf([&] { devices.Open("libcuda.so.1", 0, TestBlocks()); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), CudaStandin::path().string()));
}

TEST_CASE("a driver that does not open is looked for again the next time") {
  const CudaStandin standin;
  CudaDevices devices;
  standin.Set({.gpus = 0});
  CHECK_THROWS(devices.Driver(CudaStandin::path()));
  standin.Set({});
  CHECK(devices.Driver(CudaStandin::path())->CountGpus() == 2);
}

}  // namespace warmswap::test
