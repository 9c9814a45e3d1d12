#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/request.h"
#include "core/run_result.h"
#include "core/tensor.h"

namespace warmswap {

// Requests that run together: their inputs are joined along the first dimension, and each gets its
// rows of the outputs. A request may have any number of rows.

/// Throws kFailedPrecondition, naming the tensor, unless every input and output has a free first
/// dimension and elements of a fixed size.
void RequireBatchable(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs);

/// Sets `batch_key` and `rows` of a validated request. Requests with equal keys have the same
/// shapes but for the first dimension, and want the same outputs. The key stays empty where the
/// inputs have no rows or different numbers of them.
void MarkForBatching(Request& request);

/// Whether `next` may join a batch that begins with `first` and has `rows` rows so far.
bool FitsBatch(const Request& first, std::size_t rows, const Request& next, std::size_t max_rows);

/// The inputs of requests with equal keys, one after the other.
std::vector<InputTensor> JoinInputs(std::span<const Request> requests, MemoryPool& pool);

/// Throws kInternal unless each output has so many rows.
void RequireRows(const RunOutputs& outputs, std::size_t rows);

/// Which rows of the outputs belong to each request. Throws kInternal if the outputs do not have as
/// many rows as the requests.
std::vector<RowRange> AssignRows(const RunOutputs& outputs, std::span<const Request> requests);

}  // namespace warmswap
