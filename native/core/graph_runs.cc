#include "core/graph_runs.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <utility>

#include "core/capture_gate.h"

namespace warmswap {
namespace {

// What ONNX Runtime takes for "record nothing"; ids of recordings begin above 0.
constexpr int kNoGraph = -1;

/// The shapes one after the other, each behind its rank.
std::vector<std::int64_t> ShapesOf(std::span<const Ort::Value> values) {
  std::vector<std::int64_t> shapes;
  for (const Ort::Value& value : values) {
    const std::vector<std::int64_t> shape = value.GetTensorTypeAndShapeInfo().GetShape();
    shapes.push_back(static_cast<std::int64_t>(shape.size()));
    shapes.insert(shapes.end(), shape.begin(), shape.end());
  }
  return shapes;
}

bool HaveElements(std::span<const Ort::Value> values) {
  return std::ranges::all_of(values, [](const Ort::Value& value) {
    return value.GetTensorTypeAndShapeInfo().GetElementCount() > 0;
  });
}

bool AreDistinct(std::span<const std::size_t> indices) {
  return std::ranges::all_of(
      indices, [&](std::size_t index) { return std::ranges::count(indices, index) == 1; });
}

}  // namespace

std::vector<Ort::Value> GraphRuns::Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                                       std::span<const std::size_t> outputs) {
  Shapes shapes = ShapesOf(inputs);
  const auto known = graphs_.find(shapes);
  if (known == graphs_.end()) return RunFirst(options, inputs, outputs, std::move(shapes));
  FixedRun& run = *known->second;
  if (run.is_recorded()) {
    const std::shared_lock not_while_recording(CaptureGate());
    return run.Run(options, inputs, outputs);
  }
  const std::unique_lock recording(CaptureGate(), std::try_to_lock);
  if (!recording.owns_lock()) return RunOrdinarily(options, inputs, outputs);
  return run.Run(options, inputs, outputs);
}

std::vector<Ort::Value> GraphRuns::RunFirst(Ort::RunOptions& options,
                                            std::span<const Ort::Value> inputs,
                                            std::span<const std::size_t> outputs, Shapes shapes) {
  const bool can_record = graphs_.size() < kMaxGraphs && HaveElements(inputs);
  if (!can_record || !AreDistinct(outputs)) return RunOrdinarily(options, inputs, outputs);
  std::vector<std::size_t> all(session_.outputs.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<Ort::Value> values = RunOrdinarily(options, inputs, all);
  if (HaveElements(values)) {
    const int id = static_cast<int>(graphs_.size()) + 1;
    const std::shared_lock not_while_recording(CaptureGate());
    graphs_.emplace(std::move(shapes),
                    std::make_unique<FixedRun>(session_, device_, stream_, id, inputs, values));
  }
  std::vector<Ort::Value> wanted;
  wanted.reserve(outputs.size());
  for (const std::size_t index : outputs) wanted.push_back(std::move(values.at(index)));
  return wanted;
}

std::vector<Ort::Value> GraphRuns::RunOrdinarily(Ort::RunOptions& options,
                                                 std::span<const Ort::Value> inputs,
                                                 std::span<const std::size_t> outputs) {
  SetGraphId(options, kNoGraph);
  return ordinary_.Run(options, inputs, outputs);
}

}  // namespace warmswap
