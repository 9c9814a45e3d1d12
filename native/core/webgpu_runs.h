#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "core/run_path.h"

namespace warmswap {

/// All sessions on WebGPU share one device of the process, which ONNX Runtime lets only one thread
/// at a time use: who creates, runs or destroys such a session holds this.
std::mutex& WebGpuMutex() noexcept;

/// Lets a session run on the adapter that WebGPU chooses. For the holder of WebGpuMutex. Throws
/// kFailedPrecondition with what ONNX Runtime says if it cannot: it is built without WebGPU, or
/// there is no adapter.
void AddWebGpuProvider(Ort::SessionOptions& options);

/// Runs of a session on WebGPU, one at a time in the process. Thread-safe.
class WebGpuRuns final : public RunPath {
 public:
  /// `direct` runs where it is told to, and must outlive it.
  explicit WebGpuRuns(RunPath& direct) : direct_(direct) {}

  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs) override {
    const std::lock_guard one_at_a_time(WebGpuMutex());
    return direct_.Run(options, inputs, outputs);
  }

 private:
  RunPath& direct_;
};

}  // namespace warmswap
