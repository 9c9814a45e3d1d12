#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/ort.h"
#include "core/tensor.h"

namespace warmswap {

/// A session of ONNX Runtime with its signature; what it refers to outlives it.
struct SessionRef {
  Ort::Session& session;
  const std::vector<TensorSpec>& inputs;
  const std::vector<TensorSpec>& outputs;
};

/// A way to run a session whose tensors come from, and go to, memory of the host.
class RunPath {
 public:
  RunPath() = default;
  RunPath(const RunPath&) = delete;
  RunPath& operator=(const RunPath&) = delete;
  virtual ~RunPath() = default;

  /// See Session::Run. May add entries to `options`, which are for this run alone.
  virtual std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                                      std::span<const std::size_t> outputs) = 0;
};

}  // namespace warmswap
