#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/gathered_batch.h"
#include "core/ort.h"
#include "core/run_result.h"
#include "core/session.h"
#include "core/tensor.h"

namespace warmswap {

/// Runs batches of one model. Where a batch lies where the last one lay, and is as large, it runs
/// with the same tensors, and its outputs lie where the last ones lay: to make and to describe them
/// takes as long as a small model runs. Not thread-safe.
class KeptRun {
 public:
  /// Longer outputs are not kept.
  static constexpr std::size_t kMaxOutputBytes = std::size_t{64} << 10U;

  /// What it gives is valid as long as it is held. Keeps nothing of sessions that do not run on the
  /// processor. Throws what ONNX Runtime reports.
  std::shared_ptr<const RunOutputs> Run(Ort::RunOptions& options, Session& session,
                                        const GatheredBatch& batch);

 private:
  /// What two batches have in common that can use the same tensors.
  struct Key {
    std::vector<const std::byte*> data;
    std::vector<std::int64_t> shapes;  // each behind its rank
    std::vector<std::size_t> outputs;

    bool operator==(const Key&) const = default;
  };

  std::shared_ptr<const RunOutputs> TryKept(Ort::RunOptions& options, Session& session);
  void Keep(const Session& session, std::vector<Ort::Value> inputs, const RunOutputs& outputs);
  void Forget() noexcept;

  Key key_;   // of the last batch
  Key next_;  // of the one that is to be run; here, so that its memory is kept
  std::vector<std::string> names_;  // of the inputs, then of the outputs
  std::vector<const char*> name_pointers_;
  std::vector<Ort::Value> inputs_;
  std::shared_ptr<RunOutputs> outputs_;  // none: nothing is kept
  bool may_keep_ = true;
};

}  // namespace warmswap
