#include "core/bound_runs.h"

#include <algorithm>
#include <shared_mutex>

#include "core/capture_gate.h"

namespace warmswap {
namespace {

constexpr const char* kShrinkArena = "memory.enable_memory_arena_shrinkage";

/// Whether a binding, which knows each output once, can give them; few enough to compare them all.
bool CanBind(std::span<const std::size_t> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (std::ranges::count(outputs, outputs[i]) > 1) return false;
  }
  return !outputs.empty();
}

}  // namespace

std::vector<Ort::Value> BoundRuns::Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                                       std::span<const std::size_t> outputs) {
  const std::shared_lock not_while_recording(CaptureGate());
  if (!shrink_.empty()) options.AddConfigEntry(kShrinkArena, shrink_.c_str());
  if (memory_ == nullptr || !CanBind(outputs)) return unbound_.Run(options, inputs, outputs);
  Ort::IoBinding binding(session_.session);
  for (std::size_t i = 0; i < session_.inputs.size(); ++i) {
    binding.BindInput(session_.inputs[i].name.c_str(), inputs[i]);
  }
  for (const std::size_t index : outputs) {
    binding.BindOutput(session_.outputs.at(index).name.c_str(), memory_);
  }
  session_.session.Run(options, binding);
  return binding.GetOutputValues();
}

}  // namespace warmswap
