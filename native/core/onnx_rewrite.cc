#include "core/onnx_rewrite.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/onnx_schema.h"
#include "core/protobuf.h"

namespace warmswap {
namespace {

void AppendEntry(std::string& tensor, std::string_view key, std::string_view value) {
  std::string entry;
  AppendBytes(entry, OnnxTensorField::kEntryKey, key);
  AppendBytes(entry, OnnxTensorField::kEntryValue, value);
  AppendBytes(tensor, OnnxTensorField::kExternalData, entry);
}

// The checksum, which ONNX Runtime writes as 0 and never reads, is not kept.
std::string ToEntry(const PackedWeight& packed) {
  std::string value(packed.key);
  for (const DataBlob& blob : packed.blobs) {
    value += "|" + std::to_string(blob.offset) + ";" + std::to_string(blob.length) + ";0";
  }
  return value;
}

void AppendEntries(std::string& message, const ExternalTensor& tensor) {
  AppendEntry(message, "location", tensor.location);
  AppendEntry(message, "offset", std::to_string(tensor.data.offset));
  if (tensor.data.length > 0) AppendEntry(message, "length", std::to_string(tensor.data.length));
  for (std::size_t i = 0; i < tensor.packed.size(); ++i) {
    AppendEntry(message, "prepacked_" + std::to_string(i), ToEntry(tensor.packed[i]));
  }
}

std::string_view NameOf(std::string_view tensor) {
  std::string_view name;
  ProtoReader reader(tensor);
  while (const std::optional<ProtoField> field = reader.Next()) {
    if (field->number == OnnxTensorField::kName) name = field->bytes;
  }
  return name;
}

/// Finds the initializers of a graph that another of the same name follows.
class RepeatedInitializers {
 public:
  explicit RepeatedInitializers(std::string_view graph) {
    ProtoReader reader(graph);
    while (const std::optional<ProtoField> field = reader.Next()) {
      if (field->number != kOnnxGraphInitializer) continue;
      last_.insert_or_assign(NameOf(field->bytes), field->bytes.data());
    }
  }

  bool Contain(const ProtoField& field) const {
    if (field.number != kOnnxGraphInitializer) return false;
    return last_.at(NameOf(field.bytes)) != field.bytes.data();
  }

 private:
  std::unordered_map<std::string_view, const char*> last_;
};

class Rewriter {
 public:
  explicit Rewriter(const std::function<void(ExternalTensor&)>& edit) : edit_(edit) {}

  std::string Rewrite(OnnxMessage kind, std::string_view message, int depth) const {
    CheckOnnxDepth(depth);
    if (kind == OnnxMessage::kTensor) return RewriteTensor(message);
    const RepeatedInitializers repeated(kind == OnnxMessage::kGraph ? message : std::string_view());
    std::string rewritten;
    OnnxChildren children(kind);
    ProtoReader reader(message);
    while (const std::optional<ProtoField> field = reader.Next()) {
      if (kind == OnnxMessage::kGraph && repeated.Contain(*field)) continue;
      if (const auto child = children.KindOf(*field)) {
        AppendBytes(rewritten, field->number, Rewrite(*child, field->bytes, depth + 1));
      } else {
        rewritten.append(field->encoded);
      }
    }
    return rewritten;
  }

 private:
  std::string RewriteTensor(std::string_view message) const {
    std::optional<ExternalTensor> tensor = ParseExternalTensor(message);
    if (!tensor) return std::string(message);
    edit_(*tensor);
    std::string rewritten;
    ProtoReader reader(message);
    while (const std::optional<ProtoField> field = reader.Next()) {
      if (field->number != OnnxTensorField::kExternalData) rewritten.append(field->encoded);
    }
    AppendEntries(rewritten, *tensor);
    return rewritten;
  }

  const std::function<void(ExternalTensor&)>& edit_;
};

}  // namespace

std::string RewriteOnnx(std::span<const std::byte> model,
                        const std::function<void(ExternalTensor&)>& edit) {
  const Rewriter rewriter(edit);
  return rewriter.Rewrite(OnnxMessage::kModel,
                          {reinterpret_cast<const char*>(model.data()), model.size()}, 1);
}

}  // namespace warmswap
