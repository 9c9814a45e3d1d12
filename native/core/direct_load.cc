#include "core/direct_load.h"

#include "core/weight_plan.h"

namespace warmswap {

bool IsLoadedDirectly(const SessionOptions& options) noexcept {
  return options.device && !options.weights && options.cuda.loader == WeightLoader::kDirect;
}

std::shared_ptr<Session> LoadDirect(const OrtLibrary& library,
                                    const std::filesystem::path& model_path,
                                    const SessionOptions& options) {
  SessionOptions with_weights = options;
  const WeightPlan plan(model_path);
  if (plan.size() > 0) {
    with_weights.weights = options.device->CopyWeights(plan, *options.cancellation);
  }
  return std::make_shared<Session>(library, model_path, with_weights);
}

}  // namespace warmswap
