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

std::size_t TotalRows(std::span<const Request> requests) {
  const auto add = [](std::size_t sum, const Request& request) { return sum + request.rows; };
  return std::accumulate(requests.begin(), requests.end(), std::size_t{0}, add);
}

InputTensor JoinInput(std::span<const Request> requests, std::size_t index, MemoryPool& pool) {
  const auto add = [index](std::size_t sum, const Request& request) {
    return sum + request.inputs[index].data.size();
  };
  const InputTensor& like = requests.front().inputs[index];
  const std::size_t bytes = std::accumulate(requests.begin(), requests.end(), std::size_t{0}, add);
  InputTensor joined{like.type, like.shape, PooledBuffer(pool, bytes), {}};
  joined.shape.front() = static_cast<std::int64_t>(TotalRows(requests));
  std::byte* to = joined.data.data();
  for (const Request& request : requests) {
    const PooledBuffer& from = request.inputs[index].data;
    if (from.size() > 0) std::memcpy(to, from.data(), from.size());
    to += from.size();
  }
  return joined;
}

void RequireRows(const RunOutputs::Tensor& output, std::size_t rows) {
  if (!output.shape.empty() && output.shape.front() == static_cast<std::int64_t>(rows)) return;
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
  const std::size_t rows = RowsOf(request.inputs);
  if (rows == 0) return;
  std::vector<std::int64_t> key(request.outputs.begin(), request.outputs.end());
  for (const InputTensor& input : request.inputs) {
    if (input.shape.at(0) != static_cast<std::int64_t>(rows)) return;
    key.push_back(-1);  // no output's index and no dimension
    key.insert(key.end(), input.shape.begin() + 1, input.shape.end());
  }
  request.rows = rows;
  request.batch_key = std::move(key);
}

bool FitsBatch(const Request& first, std::size_t rows, const Request& next, std::size_t max_rows) {
  return !first.batch_key.empty() && next.batch_key == first.batch_key &&
         rows + next.rows <= max_rows;
}

std::vector<InputTensor> JoinInputs(std::span<const Request> requests, MemoryPool& pool) {
  std::vector<InputTensor> joined;
  joined.reserve(requests.front().inputs.size());
  for (std::size_t i = 0; i < requests.front().inputs.size(); ++i) {
    joined.push_back(JoinInput(requests, i, pool));
  }
  return joined;
}

void RequireRows(const RunOutputs& outputs, std::size_t rows) {
  for (const RunOutputs::Tensor& output : outputs.tensors()) RequireRows(output, rows);
}

std::vector<RowRange> AssignRows(const RunOutputs& outputs, std::span<const Request> requests) {
  const std::size_t rows = TotalRows(requests);
  RequireRows(outputs, rows);
  std::vector<RowRange> ranges;
  ranges.reserve(requests.size());
  std::size_t first = 0;
  for (const Request& request : requests) {
    ranges.push_back({first, request.rows});
    first += request.rows;
  }
  return ranges;
}

}  // namespace warmswap
