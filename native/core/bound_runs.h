#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/direct_runs.h"
#include "core/run_path.h"

namespace warmswap {

/// Runs with the inputs bound where they lie, and the outputs to be put into `memory`. Thread-safe:
/// each run has a binding, and on a GPU a stream, of its own.
class BoundRuns final : public RunPath {
 public:
  /// `memory` must outlive it; null: nothing is bound, and ONNX Runtime puts outputs where it
  /// likes. `shrink` names the arena that every run shrinks ("gpu:0"), if any.
  BoundRuns(SessionRef session, const OrtMemoryInfo* memory, std::string shrink = "")
      : session_(session), unbound_(session), memory_(memory), shrink_(std::move(shrink)) {}

  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs) override;

 private:
  const SessionRef session_;
  DirectRuns unbound_;
  const OrtMemoryInfo* const memory_;
  const std::string shrink_;
};

}  // namespace warmswap
