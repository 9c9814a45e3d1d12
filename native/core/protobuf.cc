#include "core/protobuf.h"

#include <limits>

#include "core/error.h"

namespace warmswap {
namespace {

constexpr int kMaxVarintBytes = 10;
constexpr unsigned kWireTypeBits = 3;

[[noreturn]] void MalformedMessage(const std::string& what) {
  throw Error(ErrorCode::kFailedPrecondition, "malformed protobuf: " + what);
}

void AppendVarint(std::string& message, std::uint64_t value) {
  while (value >= 0x80) {
    message.push_back(static_cast<char>(static_cast<unsigned char>(value) | 0x80U));
    value >>= 7U;
  }
  message.push_back(static_cast<char>(value));
}

}  // namespace

std::optional<ProtoField> ProtoReader::Next() {
  if (rest_.empty()) return std::nullopt;
  const std::string_view start = rest_;
  const std::uint64_t tag = Varint();
  if (tag > std::numeric_limits<std::uint32_t>::max() || tag >> kWireTypeBits == 0) {
    MalformedMessage("there is no field " + std::to_string(tag >> kWireTypeBits));
  }
  ProtoField field;
  field.number = static_cast<std::uint32_t>(tag >> kWireTypeBits);
  field.type = static_cast<WireType>(tag & ((1U << kWireTypeBits) - 1));
  switch (field.type) {
    case WireType::kVarint:
      field.value = Varint();
      break;
    case WireType::kFixed64:
      Take(sizeof(std::uint64_t));
      break;
    case WireType::kBytes:
      field.bytes = Take(Varint());
      break;
    case WireType::kFixed32:
      Take(sizeof(std::uint32_t));
      break;
    default:
      MalformedMessage("field " + std::to_string(field.number) + " has an unknown wire type");
  }
  field.encoded = start.substr(0, start.size() - rest_.size());
  return field;
}

std::optional<std::uint64_t> ProtoReader::NextVarint() {
  if (rest_.empty()) return std::nullopt;
  return Varint();
}

std::uint64_t ProtoReader::Varint() {
  std::uint64_t value = 0;
  for (int i = 0; i < kMaxVarintBytes; ++i) {
    const auto byte = static_cast<unsigned char>(Take(1).front());
    const std::uint64_t bits = byte & 0x7FU;
    if (i == kMaxVarintBytes - 1 && bits > 1) break;
    value |= bits << (7U * static_cast<unsigned>(i));
    if (byte < 0x80) return value;
  }
  MalformedMessage("a number has more than 64 bits");
}

std::string_view ProtoReader::Take(std::uint64_t length) {
  if (length > rest_.size()) {
    MalformedMessage("a field of " + std::to_string(length) + " bytes where " +
                     std::to_string(rest_.size()) + " are left");
  }
  const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(length));
  rest_.remove_prefix(taken.size());
  return taken;
}

void AppendBytes(std::string& message, std::uint32_t number, std::string_view bytes) {
  AppendVarint(message, std::uint64_t{number} << kWireTypeBits |
                            static_cast<std::uint64_t>(WireType::kBytes));
  AppendVarint(message, bytes.size());
  message.append(bytes);
}

}  // namespace warmswap
