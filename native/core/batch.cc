#include "core/batch.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

using Shape = std::vector<std::int64_t>;

Shape ShapeOf(const Ort::Value& value) { return value.GetTensorTypeAndShapeInfo().GetShape(); }

std::size_t ByteSize(const Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  return info.GetElementCount() * ElementSize(FromOrt(info.GetElementType()).value());
}

std::size_t RowsOf(std::span<const Request> requests) {
  const auto add = [](std::size_t sum, const Request& request) { return sum + request.rows; };
  return std::accumulate(requests.begin(), requests.end(), std::size_t{0}, add);
}

/// Uninitialised, of the type of `like` and its shape but for the first dimension.
Ort::Value WithRows(const Ort::Value& like, std::size_t rows) {
  const Ort::AllocatorWithDefaultOptions allocator;
  const auto info = like.GetTensorTypeAndShapeInfo();
  Shape shape = info.GetShape();
  shape.front() = static_cast<std::int64_t>(rows);
  return Ort::Value::CreateTensor(allocator, shape.data(), shape.size(), info.GetElementType());
}

void Copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

Ort::Value JoinInput(std::span<const Request> requests, std::size_t index) {
  Ort::Value joined = WithRows(requests.front().inputs[index], RowsOf(requests));
  auto* to = static_cast<std::byte*>(joined.GetTensorMutableRawData());
  for (const Request& request : requests) {
    const std::size_t bytes = ByteSize(request.inputs[index]);
    Copy(to, request.inputs[index].GetTensorRawData(), bytes);
    to += bytes;
  }
  return joined;
}

void RequireRows(const Ort::Value& output, std::size_t rows) {
  const Shape shape = ShapeOf(output);
  if (!shape.empty() && shape.front() == static_cast<std::int64_t>(rows)) return;
  throw Error(ErrorCode::kInternal, "an output of a batch of " + std::to_string(rows) +
                                        " rows does not have as many rows");
}

void RequireBatchable(const std::string& role, const TensorSpec& spec) {
  const std::string tensor = "batching: " + role + " '" + spec.name + "' ";
  if (spec.type == DataType::kBytes) {
    throw Error(ErrorCode::kFailedPrecondition,
                tensor + "is BYTES, which cannot be batched; remove 'batching' from model.yaml");
  }
  if (!spec.shape.empty() && spec.shape.front() < 0) return;
  throw Error(ErrorCode::kFailedPrecondition,
              tensor + "has no free first dimension; remove 'batching' from model.yaml");
}

}  // namespace

void RequireBatchable(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) {
  for (const TensorSpec& spec : inputs) RequireBatchable("input", spec);
  for (const TensorSpec& spec : outputs) RequireBatchable("output", spec);
}

void MarkForBatching(Request& request) {
  if (request.inputs.empty()) return;
  std::vector<std::int64_t> key(request.outputs.begin(), request.outputs.end());
  const std::int64_t rows = ShapeOf(request.inputs.front()).at(0);
  for (const Ort::Value& input : request.inputs) {
    const Shape shape = ShapeOf(input);
    if (shape.at(0) != rows || rows == 0) return;
    key.push_back(-1);  // no output's index and no dimension
    key.insert(key.end(), shape.begin() + 1, shape.end());
  }
  request.rows = static_cast<std::size_t>(rows);
  request.batch_key = std::move(key);
}

std::size_t RowsOf(std::span<const Ort::Value> tensors) {
  if (tensors.empty()) return 0;
  const Shape shape = ShapeOf(tensors.front());
  return shape.empty() ? 1 : static_cast<std::size_t>(shape.front());
}

std::size_t ByteSizeOf(std::span<const Ort::Value> tensors) {
  const auto add = [](std::size_t sum, const Ort::Value& tensor) { return sum + ByteSize(tensor); };
  return std::accumulate(tensors.begin(), tensors.end(), std::size_t{0}, add);
}

std::vector<Ort::Value> JoinInputs(std::span<const Request> requests) {
  std::vector<Ort::Value> joined;
  joined.reserve(requests.front().inputs.size());
  for (std::size_t i = 0; i < requests.front().inputs.size(); ++i) {
    joined.push_back(JoinInput(requests, i));
  }
  return joined;
}

std::vector<std::vector<Ort::Value>> SplitOutputs(std::span<const Ort::Value> outputs,
                                                  std::span<const Request> requests) {
  const std::size_t rows = RowsOf(requests);
  std::vector<std::vector<Ort::Value>> split(requests.size());
  for (const Ort::Value& output : outputs) {
    RequireRows(output, rows);
    const auto* from = static_cast<const std::byte*>(output.GetTensorRawData());
    const std::size_t row_bytes = ByteSize(output) / rows;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const std::size_t bytes = requests[i].rows * row_bytes;
      Ort::Value part = WithRows(output, requests[i].rows);
      Copy(part.GetTensorMutableRawData(), from, bytes);
      split[i].push_back(std::move(part));
      from += bytes;
    }
  }
  return split;
}

}  // namespace warmswap
