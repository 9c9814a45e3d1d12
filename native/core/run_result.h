#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/ort.h"
#include "core/request.h"
#include "core/tensor.h"

namespace warmswap {

/// What one run gave, in the order in which it was asked for; the requests that ran together share
/// it. Immutable while they do, so readable from any thread.
class RunOutputs {
 public:
  struct Tensor {
    DataType type;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> data;  ///< empty for kBytes
  };

  explicit RunOutputs(std::vector<Ort::Value> values);

  std::span<const Tensor> tensors() const noexcept { return tensors_; }
  const Ort::Value& value(std::size_t index) const { return values_.at(index); }
  /// For whoever made them: to be filled again, in the same shapes, when nobody else holds them.
  std::span<Ort::Value> values() noexcept { return values_; }

 private:
  std::vector<Ort::Value> values_;
  std::vector<Tensor> tensors_;
};

/// A request's rows among those of a batch.
struct RowRange {
  std::size_t first;
  std::size_t count;
};

struct RunResult {
  std::shared_ptr<const RunOutputs> outputs;
  std::optional<RowRange> rows;       ///< which rows of the outputs are this request's; none: all
  std::chrono::nanoseconds queued{};  ///< from Submit until a runner took the request
  std::chrono::nanoseconds computed{};
  std::size_t batch_size = 1;  ///< requests that ran together

  std::size_t size() const noexcept { return outputs->tensors().size(); }
  std::vector<std::int64_t> Shape(std::size_t output) const;
  /// Valid as long as `outputs`.
  std::span<const std::byte> Data(std::size_t output) const;
  /// Size of the first output's first dimension: 1 for a scalar, 0 without outputs.
  std::size_t RowCount() const noexcept;
  /// Bytes of all elements; BYTES tensors count as none.
  std::size_t ByteSize() const;
};

using RunOutcome = std::variant<RunResult, Error>;

struct Completion {
  std::uint64_t ticket;
  std::optional<Reply> reply;
  RunOutcome outcome;
};

}  // namespace warmswap
