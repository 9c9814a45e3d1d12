#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace warmswap {

// Protobuf's wire format, as far as ONNX files need it. Everything borrows the bytes that it was
// given and allocates nothing but what it returns.

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct ProtoField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;   ///< of a kVarint; 0 for the others
  std::string_view bytes;    ///< of a kBytes, without its length
  std::string_view encoded;  ///< the whole field as it stands in the message, tag included
};

/// Reads the fields of one message in their order.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) noexcept : rest_(message) {}

  /// The next field; nothing at the end of the message. Throws kFailedPrecondition, saying what is
  /// wrong, for bytes that are no message (a group, which ONNX never uses, included).
  std::optional<ProtoField> Next();

  /// The next bare varint, as packed fields have them; nothing at the end. Throws as Next does.
  std::optional<std::uint64_t> NextVarint();

 private:
  std::uint64_t Varint();
  std::string_view Take(std::uint64_t length);

  std::string_view rest_;
};

/// Appends a field of type kBytes to `message`.
void AppendBytes(std::string& message, std::uint32_t number, std::string_view bytes);

}  // namespace warmswap
