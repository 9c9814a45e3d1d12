#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/device.h"
#include "core/ort.h"
#include "core/run_path.h"

namespace warmswap {

/// Tells ONNX Runtime which recording a run makes or replays.
void SetGraphId(Ort::RunOptions& options, int id);

/// Runs of one set of shapes, always with the same memory of the device bound, as the replay of a
/// recording needs it: inputs are copied there, and outputs from there. For one thread at a time.
class FixedRun {
 public:
  /// Takes memory for tensors like these, none of which is without elements. All must outlive it.
  FixedRun(SessionRef session, Device& device, DeviceStream& stream, int graph_id,
           std::span<const Ort::Value> inputs, std::span<const Ort::Value> outputs);

  /// Whether a run has succeeded, so that later ones are replays.
  bool is_recorded() const noexcept { return is_recorded_; }

  /// See Session::Run; the inputs must have the shapes of the first ones.
  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs);

 private:
  struct Tensor {
    std::shared_ptr<void> memory;
    std::size_t bytes;
    std::vector<std::int64_t> shape;
    ONNXTensorElementDataType type;
    Ort::Value value;  ///< over `memory`
  };

  Tensor Like(const Ort::Value& value) const;
  Ort::Value CopyToHost(const Tensor& tensor);

  Device& device_;
  DeviceStream& stream_;
  const SessionRef session_;
  const int graph_id_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  Ort::IoBinding binding_;
  bool is_recorded_ = false;
};

}  // namespace warmswap
