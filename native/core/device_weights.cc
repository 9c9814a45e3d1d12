#include "core/device_weights.h"

#include <cstddef>
#include <utility>

namespace warmswap {

DeviceWeights::DeviceWeights(const WeightPlan& plan, std::shared_ptr<void> memory,
                             const OrtMemoryInfo* info)
    : memory_(std::move(memory)), bytes_(plan.size()) {
  auto* const block = static_cast<std::byte*>(memory_.get());
  values_.reserve(plan.weights().size());
  for (const PlacedWeight& weight : plan.weights()) {
    // Both number the types alike.
    const auto type = static_cast<ONNXTensorElementDataType>(weight.data_type);
    values_.push_back(
        {weight.name, Ort::Value::CreateTensor(info, block + weight.offset, weight.source.size(),
                                               weight.dims.data(), weight.dims.size(), type)});
  }
}

void DeviceWeights::AddTo(Ort::SessionOptions& options) const {
  for (const auto& [name, value] : values_) options.AddInitializer(name.c_str(), value);
}

}  // namespace warmswap
