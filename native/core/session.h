#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/cuda_options.h"
#include "core/device.h"
#include "core/device_weights.h"
#include "core/direct_runs.h"
#include "core/gated_session.h"
#include "core/load_cancellation.h"
#include "core/ort.h"
#include "core/ort_library.h"
#include "core/run_path.h"
#include "core/tensor.h"

namespace warmswap {

struct SessionOptions {
  /// Threads that one run may use; 1 means the calling thread alone.
  int intra_op_threads = 1;
  /// Those that wait for work spin for a while, which burns the cores that other workers need.
  bool spinning = false;
  /// The model is an artifact (core/artifact_packer.h), so there is nothing left to optimise.
  bool optimised = false;
  /// Kernels may pack their weights, for faster runs. Without it a session of an artifact is there
  /// within milliseconds.
  bool prepacking = true;
  /// The GPU that it runs on; null for the processor, which is what all of the above is about.
  std::shared_ptr<Device> device = nullptr;
  CudaOptions cuda = {};  ///< where there is a device
  /// The model's weights in the device's memory, which it uses in the place of copies of its own.
  /// Then it is optimised no further. Null: it makes copies.
  std::shared_ptr<const DeviceWeights> weights = nullptr;
  /// It runs on the adapter that WebGPU chooses. Not together with a device.
  bool webgpu = false;
  /// What ends the load early; never null.
  std::shared_ptr<LoadCancellation> cancellation = std::make_shared<LoadCancellation>();

  bool is_on_processor() const noexcept { return !device && !webgpu; }
};

/// ONNX Runtime's options for a session of ours.
Ort::SessionOptions ToOrt(const SessionOptions& options);

/// A model that is ready to run, with its signature. Loading blocks for as long as ONNX Runtime
/// takes; do it off the JavaScript thread. `Run` may be called from many threads at once, but with
/// CUDA graphs only from one, always the same.
class Session {
 public:
  /// Loads `model_path`; external data is looked for beside it. Throws kNotFound, or
  /// kFailedPrecondition for a file that is no valid model, or kUnimplemented naming an input or
  /// output whose type is not served (sequence, map, optional, rare element types), or kCancelled,
  /// or what the device throws.
  Session(const OrtLibrary& library, const std::filesystem::path& model_path,
          const SessionOptions& options);

  const std::vector<TensorSpec>& inputs() const noexcept { return inputs_; }
  const std::vector<TensorSpec>& outputs() const noexcept { return outputs_; }

  /// Runs with one value per input, in the order of `inputs()`; gives the outputs with these
  /// indices, in that order, in memory of the host. The options are for this run alone where there
  /// is a device. Throws what ONNX Runtime or the device reports (CurrentExceptionAsError names
  /// it).
  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs) {
    return device_runs_ ? device_runs_->Run(options, inputs, outputs)
                        : direct_runs_.Run(options, inputs, outputs);
  }

  /// The same on the processor, into values that are there: of all inputs, in their order, and of
  /// the outputs that `names` has behind the inputs' names. ONNX Runtime refuses other shapes.
  void Run(Ort::RunOptions& options, std::span<const char* const> names,
           std::span<const Ort::Value> inputs, std::span<Ort::Value> outputs) {
    session_.get().Run(options, names.data(), inputs.data(), inputs.size(),
                       names.data() + inputs.size(), outputs.data(), outputs.size());
  }

  /// Where it runs there is no device.
  bool is_on_processor() const noexcept { return !device_runs_; }

 private:
  SessionRef ref() noexcept { return {session_.get(), inputs_, outputs_}; }

  // In this order: what runs of the session need goes after it.
  const std::shared_ptr<Device> device_;
  const std::shared_ptr<const DeviceWeights> weights_;
  std::unique_ptr<DeviceStream> stream_;  // of all runs, where they are recorded
  GatedSession session_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  DirectRuns direct_runs_;
  std::unique_ptr<RunPath> ordinary_runs_;
  std::unique_ptr<RunPath> device_runs_;
};

}  // namespace warmswap
