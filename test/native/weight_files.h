#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/ort.h"
#include "cuda_standin.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {

/// A model with FLOAT weights of these lengths, one behind another in a file of their own.
struct Written {
  TempDir dir;
  const std::filesystem::path model = dir / "model.onnx";
  std::string data;

  explicit Written(const std::vector<std::size_t>& floats) {
    std::vector<std::string> tensors;
    for (const std::size_t count : floats) {
      tensors.push_back(ExternalFloats("w" + std::to_string(tensors.size()),
                                       {static_cast<std::int64_t>(count)}, "weights.bin",
                                       data.size()));
      const std::size_t end = data.size() + count * sizeof(float);
      while (data.size() < end) data += static_cast<char>(data.size() * 2654435761U >> 11U);
    }
    WriteFile(model, ModelWithInitializers(tensors));
    WriteFile(dir / "weights.bin", data);
  }
};

inline Ort::MemoryInfo CpuInfo() {
  Library();
  return Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
}

/// Calls by which a stream and its pinned memory are given back: these must not fail.
inline constexpr long kReturns = 7;

/// Whether as much of the device and of pinned memory is taken as `before`.
inline void CheckNothingTaken(const CudaStandin& standin, const StandinCounts& before) {
  const StandinCounts after = standin.counts();
  CHECK(after.device_bytes == before.device_bytes);
  CHECK(after.host_bytes == before.host_bytes);
  CHECK(after.streams == before.streams);
  CHECK(after.opened_handles == before.opened_handles);
  CHECK(after.pushed_contexts == before.pushed_contexts);
}

/// Lets each call fail that `take` does but for the last ones: `returns`, and the two that give
/// back what it took.
template <typename Take>
void CheckEachFailure(const CudaStandin& standin, long returns, Take take) {
  const StandinCounts before = standin.counts();
  CHECK(take() > 0);
  const long calls = standin.counts().calls - before.calls - returns - 2;
  CHECK(calls > 20);
  for (long failing = 1; failing <= calls; ++failing) {
    CAPTURE(failing);
    standin.Set({.failing_call = failing, .failure = kLaunchFailed});
    CHECK(Contains(ErrorOf(take).what(), "CUDA_ERROR_LAUNCH_FAILED"));
    CheckNothingTaken(standin, before);
  }
  standin.Set({});
}

}  // namespace warmswap::test
