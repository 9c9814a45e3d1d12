#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/ort.h"
#include "core/pooled_buffer.h"
#include "core/tensor.h"

namespace warmswap {

/// An input of a request, which owns its elements.
struct InputTensor {
  DataType type = DataType::kFp32;
  std::vector<std::int64_t> shape;
  PooledBuffer data;                 ///< little-endian, row-major; none for kBytes
  std::vector<std::string> strings;  ///< of kBytes
};

/// What ONNX Runtime is to know of plain memory of the host.
const OrtMemoryInfo* HostMemoryInfo();

/// Copies a validated tensor.
InputTensor CopyInput(TensorView view, MemoryPool& pool);

/// Views on the inputs' memory, which must outlive them; elements of kBytes are copied.
std::vector<Ort::Value> ToOrtValues(std::span<const InputTensor> inputs);

/// Size of the first input's first dimension: 1 for a scalar, 0 without inputs.
std::size_t RowsOf(std::span<const InputTensor> inputs) noexcept;

/// Bytes of all elements; BYTES tensors count as none.
std::size_t ByteSizeOf(std::span<const InputTensor> inputs) noexcept;

}  // namespace warmswap
