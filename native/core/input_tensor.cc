#include "core/input_tensor.h"

#include <cstring>
#include <numeric>
#include <utility>

namespace warmswap {
namespace {

Ort::Value ToOrtValue(const InputTensor& input) {
  if (input.type == DataType::kBytes) {
    return ToOrtValue(TensorView{input.type, input.shape, {}, input.strings});
  }
  const OrtMemoryInfo* info = input.data.info();
  return Ort::Value::CreateTensor(info != nullptr ? info : HostMemoryInfo(), input.data.data(),
                                  input.data.size(), input.shape.data(), input.shape.size(),
                                  ToOrt(input.type));
}

}  // namespace

const OrtMemoryInfo* HostMemoryInfo() {
  static const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  return memory;
}

InputTensor CopyInput(TensorView view, MemoryPool& pool) {
  InputTensor input{view.type, std::move(view.shape), {}, std::move(view.strings)};
  if (view.type == DataType::kBytes) return input;
  input.data = PooledBuffer(pool, view.data.size());
  if (!view.data.empty()) std::memcpy(input.data.data(), view.data.data(), view.data.size());
  return input;
}

std::vector<Ort::Value> ToOrtValues(std::span<const InputTensor> inputs) {
  std::vector<Ort::Value> values;
  values.reserve(inputs.size());
  for (const InputTensor& input : inputs) values.push_back(ToOrtValue(input));
  return values;
}

std::size_t RowsOf(std::span<const InputTensor> inputs) noexcept {
  if (inputs.empty()) return 0;
  const std::vector<std::int64_t>& shape = inputs.front().shape;
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.front());
}

std::size_t ByteSizeOf(std::span<const InputTensor> inputs) noexcept {
  const auto add = [](std::size_t sum, const InputTensor& input) {
    return sum + input.data.size();
  };
  return std::accumulate(inputs.begin(), inputs.end(), std::size_t{0}, add);
}

}  // namespace warmswap
