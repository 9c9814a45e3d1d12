#include "core/onnx_file.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/onnx_schema.h"
#include "core/protobuf.h"

namespace warmswap {
namespace {

// Bounds of what a file can make us allocate, far above any real model.
constexpr std::size_t kMaxExternalTensors = 1U << 20U;
constexpr std::size_t kMaxDeclaredRank = 64;
constexpr std::size_t kMaxPackedBlobs = 256;
constexpr std::size_t kMaxPrintable = 200;
constexpr std::int32_t kExternal = 1;  // TensorProto.DataLocation.EXTERNAL
constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void Malformed(const ExternalTensor& tensor, const std::string& what) {
  ThrowMalformedModel("tensor '" + Printable(tensor.name) + "' " + what);
}

std::uint64_t ToNumber(const ExternalTensor& tensor, std::string_view name, std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || parsed != end || number > kMaxOffset) {
    Malformed(tensor, std::string(name) + " is '" + Printable(text) + "', not 0 to 2^63 - 1");
  }
  return number;
}

/// Cuts off `text` up to the next `separator`, which goes as well.
std::string_view CutAt(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

// offset;length;checksum
DataBlob ToPackedBlob(const ExternalTensor& tensor, std::string_view text) {
  const std::string_view offset = CutAt(text, ';');
  const std::string_view length = CutAt(text, ';');
  return {ToNumber(tensor, "the offset of a packed blob", offset),
          ToNumber(tensor, "the length of a packed blob", length)};
}

// key|blob or key|blob|blob…
PackedWeight ToPackedWeight(const ExternalTensor& tensor, std::string_view text) {
  PackedWeight packed{CutAt(text, '|'), {}};
  while (!text.empty()) {
    packed.blobs.push_back(ToPackedBlob(tensor, CutAt(text, '|')));
    if (packed.blobs.size() > kMaxPackedBlobs) Malformed(tensor, "has too many packed blobs");
  }
  if (packed.key.empty() || packed.blobs.empty()) Malformed(tensor, "has an empty packed weight");
  return packed;
}

/// Gathers the fields of one TensorProto.
class TensorReader {
 public:
  void Read(std::string_view message) {
    ProtoReader reader(message);
    while (const std::optional<ProtoField> field = reader.Next()) ReadField(*field);
    if (is_external_) ReadEntries();
  }

  bool is_external() const noexcept { return is_external_; }
  ExternalTensor& tensor() noexcept { return tensor_; }

 private:
  void ReadField(const ProtoField& field) {
    switch (field.number) {
      case OnnxTensorField::kDims:
        return ReadDims(field);
      case OnnxTensorField::kDataType:
        tensor_.data_type = static_cast<std::int32_t>(Number(field));
        return;
      case OnnxTensorField::kName:
        tensor_.name = Bytes(field);
        return;
      case OnnxTensorField::kExternalData:
        entries_.push_back(Bytes(field));
        if (entries_.size() > kMaxPackedBlobs) Malformed(tensor_, "has too many entries");
        return;
      case OnnxTensorField::kDataLocation:
        is_external_ = static_cast<std::int32_t>(Number(field)) == kExternal;
        return;
      default:
        return;
    }
  }

  // One by one or, packed, all in one field.
  void ReadDims(const ProtoField& field) {
    if (field.type == WireType::kVarint) return AddDim(field.value);
    ProtoReader packed(Bytes(field));
    while (const std::optional<std::uint64_t> dim = packed.NextVarint()) AddDim(*dim);
  }

  void AddDim(std::uint64_t dim) {
    if (tensor_.dims.size() == kMaxDeclaredRank) Malformed(tensor_, "has more than 64 dimensions");
    tensor_.dims.push_back(static_cast<std::int64_t>(dim));
  }

  void ReadEntries() {
    for (const std::string_view entry : entries_) ReadEntry(entry);
    if (tensor_.location.empty()) Malformed(tensor_, "is external and has no location");
  }

  void ReadEntry(std::string_view entry) {
    std::string_view key;
    std::string_view value;
    ProtoReader reader(entry);
    while (const std::optional<ProtoField> field = reader.Next()) {
      if (field->number == OnnxTensorField::kEntryKey) key = Bytes(*field);
      if (field->number == OnnxTensorField::kEntryValue) value = Bytes(*field);
    }
    AddEntry(key, value);
  }

  void AddEntry(std::string_view key, std::string_view value) {
    if (key == "location") {
      RequireFirst(key, has_location_);
      tensor_.location = value;
    } else if (key == "offset") {
      RequireFirst(key, has_offset_);
      tensor_.data.offset = ToNumber(tensor_, "the offset", value);
    } else if (key == "length") {
      RequireFirst(key, has_length_);
      tensor_.data.length = ToNumber(tensor_, "the length", value);
    } else if (key.starts_with("prepacked")) {
      tensor_.packed.push_back(ToPackedWeight(tensor_, value));
    } else if (key != "checksum") {
      Malformed(tensor_, "has external data of the unknown kind '" + Printable(key) + "'");
    }
  }

  void RequireFirst(std::string_view key, bool& seen) {
    if (std::exchange(seen, true)) Malformed(tensor_, "has two entries '" + std::string(key) + "'");
  }

  std::uint64_t Number(const ProtoField& field) {
    if (field.type == WireType::kVarint) return field.value;
    Malformed(tensor_, "has no number in field " + std::to_string(field.number));
  }

  std::string_view Bytes(const ProtoField& field) {
    if (field.type == WireType::kBytes) return field.bytes;
    Malformed(tensor_, "has no bytes in field " + std::to_string(field.number));
  }

  ExternalTensor tensor_;
  std::vector<std::string_view> entries_;
  bool is_external_ = false;
  bool has_location_ = false;
  bool has_offset_ = false;
  bool has_length_ = false;
};

class Scanner {
 public:
  void Scan(OnnxMessage kind, std::string_view message, int depth) {
    CheckOnnxDepth(depth);
    if (kind == OnnxMessage::kTensor) return AddTensor(message);
    OnnxChildren children(kind);
    ProtoReader reader(message);
    while (const std::optional<ProtoField> field = reader.Next()) {
      if (const auto child = children.KindOf(*field)) Scan(*child, field->bytes, depth + 1);
      if (kind == OnnxMessage::kNode && IsLoop(*field)) contents.has_loops = true;
    }
  }

  OnnxContents contents;

 private:
  static bool IsLoop(const ProtoField& field) {
    return field.number == kOnnxNodeOpType && (field.bytes == "Loop" || field.bytes == "Scan");
  }

  void AddTensor(std::string_view message) {
    TensorReader reader;
    reader.Read(message);
    if (!reader.is_external()) return CountInline(reader.tensor(), message.size());
    if (contents.external.size() == kMaxExternalTensors)
      ThrowMalformedModel("it has too many external tensors");
    contents.external.push_back(std::move(reader.tensor()));
  }

  void CountInline(const ExternalTensor& tensor, std::uint64_t bytes) {
    contents.inline_bytes += bytes;
    if (IsHalf(tensor.data_type)) contents.inline_half_bytes += bytes;
    contents.largest_inline_bytes = std::max(contents.largest_inline_bytes, bytes);
  }
};

/// Bits of one element, by TensorProto.DataType; 0 where it is not known.
unsigned BitsPerElement(std::int32_t data_type) noexcept {
  switch (data_type) {
    case 25:  // UINT2
    case 26:  // INT2
      return 2;
    case 21:  // UINT4
    case 22:  // INT4
    case 23:  // FLOAT4E2M1
      return 4;
    case 2:   // UINT8
    case 3:   // INT8
    case 9:   // BOOL
    case 17:  // FLOAT8E4M3FN
    case 18:  // FLOAT8E4M3FNUZ
    case 19:  // FLOAT8E5M2
    case 20:  // FLOAT8E5M2FNUZ
    case 24:  // FLOAT8E8M0
      return 8;
    case 4:   // UINT16
    case 5:   // INT16
    case 10:  // FLOAT16
    case 16:  // BFLOAT16
      return 16;
    case 1:   // FLOAT
    case 6:   // INT32
    case 12:  // UINT32
      return 32;
    case 7:   // INT64
    case 11:  // DOUBLE
    case 13:  // UINT64
    case 14:  // COMPLEX64
      return 64;
    case 15:  // COMPLEX128
      return 128;
    default:
      return 0;
  }
}

/// Throws unless the product fits, which is that of the dimensions in their order.
std::int64_t DeclaredElements(const ExternalTensor& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.dims) {
    if (dim < 0) Malformed(tensor, "has the dimension " + std::to_string(dim));
    if (__builtin_mul_overflow(count, dim, &count)) {
      Malformed(tensor, "has more than 2^63 - 1 elements");
    }
  }
  return count;
}

}  // namespace

OnnxContents ParseOnnx(std::span<const std::byte> model) {
  Scanner scanner;
  scanner.Scan(OnnxMessage::kModel, {reinterpret_cast<const char*>(model.data()), model.size()}, 1);
  return std::move(scanner.contents);
}

std::optional<ExternalTensor> ParseExternalTensor(std::string_view tensor) {
  TensorReader reader;
  reader.Read(tensor);
  if (!reader.is_external()) return std::nullopt;
  return std::move(reader.tensor());
}

std::optional<std::uint64_t> DeclaredBytes(const ExternalTensor& tensor) {
  const unsigned bits = BitsPerElement(tensor.data_type);
  if (bits == 0) return std::nullopt;
  const std::int64_t count = DeclaredElements(tensor);
  std::int64_t total_bits = 0;
  if (__builtin_mul_overflow(count, std::int64_t{bits}, &total_bits)) {
    Malformed(tensor, "has more than 2^63 - 1 bits");
  }
  return (static_cast<std::uint64_t>(total_bits) + 7) / 8;
}

bool IsHalf(std::int32_t data_type) noexcept { return data_type == 10 || data_type == 16; }

std::string Printable(std::string_view text) {
  std::string shown(text.substr(0, kMaxPrintable));
  std::ranges::replace_if(
      shown, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  if (text.size() > kMaxPrintable) shown += "…";
  return shown;
}

}  // namespace warmswap
