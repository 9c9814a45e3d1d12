#include "core/run_result.h"

#include <utility>

namespace warmswap {
namespace {

RunOutputs::Tensor Describe(const Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  const DataType type = FromOrt(info.GetElementType()).value();
  RunOutputs::Tensor tensor{type, info.GetShape(), {}};
  if (type == DataType::kBytes) return tensor;
  const std::size_t bytes = ElementCount(tensor.shape).value() * ElementSize(type);
  tensor.data = {static_cast<const std::byte*>(value.GetTensorRawData()), bytes};
  return tensor;
}

}  // namespace

RunOutputs::RunOutputs(std::vector<Ort::Value> values) : values_(std::move(values)) {
  tensors_.reserve(values_.size());
  for (const Ort::Value& value : values_) tensors_.push_back(Describe(value));
}

std::vector<std::int64_t> RunResult::Shape(std::size_t output) const {
  std::vector<std::int64_t> shape = outputs->tensors()[output].shape;
  if (rows) shape.at(0) = static_cast<std::int64_t>(rows->count);
  return shape;
}

std::span<const std::byte> RunResult::Data(std::size_t output) const {
  const RunOutputs::Tensor& tensor = outputs->tensors()[output];
  if (!rows || tensor.shape.at(0) == 0) return tensor.data;
  const std::size_t row_bytes = tensor.data.size() / static_cast<std::size_t>(tensor.shape[0]);
  return tensor.data.subspan(rows->first * row_bytes, rows->count * row_bytes);
}

std::size_t RunResult::RowCount() const noexcept {
  if (rows) return rows->count;
  if (outputs->tensors().empty()) return 0;
  const std::vector<std::int64_t>& shape = outputs->tensors().front().shape;
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.front());
}

std::size_t RunResult::ByteSize() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < size(); ++i) bytes += Data(i).size();
  return bytes;
}

}  // namespace warmswap
