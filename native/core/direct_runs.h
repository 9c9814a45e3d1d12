#pragma once

#include "core/run_path.h"

namespace warmswap {

/// Hands tensors over as they are, and lets ONNX Runtime choose where outputs lie: in memory of the
/// host. Thread-safe.
class DirectRuns final : public RunPath {
 public:
  explicit DirectRuns(SessionRef session) : session_(session) {}

  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs) override;

 private:
  const SessionRef session_;
};

}  // namespace warmswap
