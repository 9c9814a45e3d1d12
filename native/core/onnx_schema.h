#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/protobuf.h"

namespace warmswap {

/// The messages of an ONNX file on the way to its tensors.
enum class OnnxMessage : std::uint8_t {
  kModel,
  kTrainingInfo,
  kFunction,
  kGraph,
  kNode,
  kAttribute,
  kSparseTensor,
  kTensor,
};

/// As deep as protobuf itself goes.
inline constexpr int kMaxOnnxDepth = 100;

/// Field number of GraphProto.initializer.
inline constexpr std::uint32_t kOnnxGraphInitializer = 5;

/// Field number of NodeProto.op_type.
inline constexpr std::uint32_t kOnnxNodeOpType = 4;

/// Field numbers of TensorProto and of its external data entries.
struct OnnxTensorField {
  static constexpr std::uint32_t kDims = 1;
  static constexpr std::uint32_t kDataType = 2;
  static constexpr std::uint32_t kName = 8;
  static constexpr std::uint32_t kExternalData = 13;
  static constexpr std::uint32_t kDataLocation = 14;
  static constexpr std::uint32_t kEntryKey = 1;
  static constexpr std::uint32_t kEntryValue = 2;
};

/// Tells, field by field, which fields of one message are messages that can hold tensors.
class OnnxChildren {
 public:
  explicit OnnxChildren(OnnxMessage parent) noexcept : parent_(parent) {}

  /// The message that `field` is, if it is one. Throws kFailedPrecondition if it has the wrong
  /// type, or if it comes again though there can be only one: readers differ in what they make of
  /// that.
  std::optional<OnnxMessage> KindOf(const ProtoField& field);

 private:
  OnnxMessage parent_;
  std::uint32_t seen_ = 0;
};

/// Throws kFailedPrecondition.
[[noreturn]] void ThrowMalformedModel(const std::string& what);

/// Throws kFailedPrecondition where messages are nested deeper than kMaxOnnxDepth.
void CheckOnnxDepth(int depth);

}  // namespace warmswap
