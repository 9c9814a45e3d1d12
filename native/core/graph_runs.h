#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "core/device.h"
#include "core/fixed_run.h"
#include "core/run_path.h"

namespace warmswap {

/// Runs that are recorded once for each shape and then replayed (CUDA graphs). The first run of a
/// shape is an ordinary one, from which the shapes of the outputs are known; the second records;
/// all later ones replay. Shapes beyond kMaxGraphs, and tensors without elements, run ordinarily,
/// as does a run that would have to record while other threads use a GPU.
///
/// For one thread, always the same: recordings belong to it.
class GraphRuns final : public RunPath {
 public:
  static constexpr std::size_t kMaxGraphs = 64;

  /// `ordinary` runs without recording; all must outlive it.
  GraphRuns(SessionRef session, RunPath& ordinary, Device& device, DeviceStream& stream)
      : session_(session), ordinary_(ordinary), device_(device), stream_(stream) {}

  std::vector<Ort::Value> Run(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                              std::span<const std::size_t> outputs) override;

  /// How many shapes are recorded, or will be when they come again.
  std::size_t graph_count() const noexcept { return graphs_.size(); }

 private:
  using Shapes = std::vector<std::int64_t>;

  std::vector<Ort::Value> RunFirst(Ort::RunOptions& options, std::span<const Ort::Value> inputs,
                                   std::span<const std::size_t> outputs, Shapes shapes);
  std::vector<Ort::Value> RunOrdinarily(Ort::RunOptions& options,
                                        std::span<const Ort::Value> inputs,
                                        std::span<const std::size_t> outputs);

  const SessionRef session_;
  RunPath& ordinary_;
  Device& device_;
  DeviceStream& stream_;
  std::map<Shapes, std::unique_ptr<FixedRun>> graphs_;
};

}  // namespace warmswap
