#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/ort.h"
#include "core/request_queue.h"
#include "core/tensor.h"

namespace warmswap {

// Requests that run together: their inputs are joined along the first dimension, their outputs are
// cut along it. A request may have any number of rows.

/// Throws kFailedPrecondition, naming the tensor, unless every input and output has a free first
/// dimension and elements of a fixed size.
void RequireBatchable(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs);

/// Sets `batch_key` and `rows` of a validated request. Requests with equal keys have the same
/// shapes but for the first dimension, and want the same outputs. The key stays empty where the
/// inputs have no rows or different numbers of them.
void MarkForBatching(Request& request);

/// Size of the first tensor's first dimension: 1 for a scalar, 0 without tensors.
std::size_t RowsOf(std::span<const Ort::Value> tensors);

/// Bytes of all elements; BYTES tensors count as none.
std::size_t ByteSizeOf(std::span<const Ort::Value> tensors);

/// The inputs of requests with equal keys, one after the other.
std::vector<Ort::Value> JoinInputs(std::span<const Request> requests);

/// For each request its rows of `outputs`, copied. Throws kInternal if the outputs do not have as
/// many rows as the requests.
std::vector<std::vector<Ort::Value>> SplitOutputs(std::span<const Ort::Value> outputs,
                                                  std::span<const Request> requests);

}  // namespace warmswap
