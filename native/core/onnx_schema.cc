#include "core/onnx_schema.h"

#include <array>
#include <string>

#include "core/error.h"

namespace warmswap {
namespace {

struct Child {
  OnnxMessage parent;
  std::uint32_t number;
  OnnxMessage kind;
  bool repeated;
};

// Numbers of fields that are not repeated stay below 32: OnnxChildren keeps a bit for each.
constexpr std::array<Child, 19> kChildren{{
    {OnnxMessage::kModel, 7, OnnxMessage::kGraph, false},
    {OnnxMessage::kModel, 20, OnnxMessage::kTrainingInfo, true},
    {OnnxMessage::kModel, 25, OnnxMessage::kFunction, true},
    {OnnxMessage::kTrainingInfo, 1, OnnxMessage::kGraph, false},
    {OnnxMessage::kTrainingInfo, 2, OnnxMessage::kGraph, false},
    {OnnxMessage::kFunction, 7, OnnxMessage::kNode, true},
    {OnnxMessage::kFunction, 11, OnnxMessage::kAttribute, true},
    {OnnxMessage::kGraph, 1, OnnxMessage::kNode, true},
    {OnnxMessage::kGraph, 5, OnnxMessage::kTensor, true},
    {OnnxMessage::kGraph, 15, OnnxMessage::kSparseTensor, true},
    {OnnxMessage::kNode, 5, OnnxMessage::kAttribute, true},
    {OnnxMessage::kAttribute, 5, OnnxMessage::kTensor, false},
    {OnnxMessage::kAttribute, 6, OnnxMessage::kGraph, false},
    {OnnxMessage::kAttribute, 10, OnnxMessage::kTensor, true},
    {OnnxMessage::kAttribute, 11, OnnxMessage::kGraph, true},
    {OnnxMessage::kAttribute, 22, OnnxMessage::kSparseTensor, false},
    {OnnxMessage::kAttribute, 23, OnnxMessage::kSparseTensor, true},
    {OnnxMessage::kSparseTensor, 1, OnnxMessage::kTensor, false},
    {OnnxMessage::kSparseTensor, 2, OnnxMessage::kTensor, false},
}};

const Child* Find(OnnxMessage parent, std::uint32_t number) noexcept {
  for (const Child& child : kChildren) {
    if (child.parent == parent && child.number == number) return &child;
  }
  return nullptr;
}

}  // namespace

void ThrowMalformedModel(const std::string& what) {
  throw Error(ErrorCode::kFailedPrecondition, "malformed model: " + what);
}

std::optional<OnnxMessage> OnnxChildren::KindOf(const ProtoField& field) {
  const Child* child = Find(parent_, field.number);
  if (child == nullptr) return std::nullopt;
  const std::string name = "field " + std::to_string(field.number);
  if (field.type != WireType::kBytes) ThrowMalformedModel(name + " is no message");
  if (!child->repeated) {
    const std::uint32_t bit = 1U << field.number;
    if ((seen_ & bit) != 0) ThrowMalformedModel(name + " comes twice");
    seen_ |= bit;
  }
  return child->kind;
}

void CheckOnnxDepth(int depth) {
  if (depth > kMaxOnnxDepth) {
    ThrowMalformedModel("it is nested deeper than " + std::to_string(kMaxOnnxDepth) + " messages");
  }
}

}  // namespace warmswap
