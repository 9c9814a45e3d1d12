#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/run_result.h"
#include "core/tensor.h"

namespace warmswap {

class MsgpackWriter;

/// An answer without the data of its outputs: that of output i belongs at `cuts[i]`.
struct AnswerFrame {
  std::vector<std::byte> bytes;
  std::vector<std::size_t> cuts;
};

/// Packs the answers of `infer` (DESIGN §7) for one version and one choice of outputs:
/// `[1, msgid, nil, {model, version, outputs, timing}]`. Immutable, so usable from any thread.
class AnswerFormat {
 public:
  /// None of `outputs` may be kBytes.
  AnswerFormat(const std::string& model, std::int64_t version,
               std::span<const TensorSpec* const> outputs);

  /// At least as many bytes as Write writes.
  std::size_t MaxSize(const RunResult& result) const;

  /// Returns the end of what it wrote. The result is of a run for these outputs, in this order.
  std::byte* Write(std::byte* to, std::uint32_t msgid, const RunResult& result) const;

  /// The same answer, in which the data of the outputs is not copied.
  AnswerFrame Frame(std::uint32_t msgid, const RunResult& result) const;

 private:
  std::size_t MaxFrameSize(const RunResult& result) const;
  template <typename WriteData>
  void WriteWith(MsgpackWriter& writer, std::uint32_t msgid, const RunResult& result,
                 const WriteData& write_data) const;

  std::vector<std::byte> head_;                  // from the error on, up to the outputs
  std::vector<std::vector<std::byte>> outputs_;  // of each: name, datatype, the key of the shape
};

}  // namespace warmswap
