#include "core/msgpack.h"

#include <bit>
#include <cstring>

namespace warmswap {
namespace {

// Type bytes of https://github.com/msgpack/msgpack/blob/master/spec.md
constexpr std::uint8_t kFixMap = 0x80;
constexpr std::uint8_t kFixArray = 0x90;
constexpr std::uint8_t kFixString = 0xa0;
constexpr std::uint8_t kNil = 0xc0;
constexpr std::uint8_t kFalse = 0xc2;
constexpr std::uint8_t kTrue = 0xc3;
constexpr std::uint8_t kBin8 = 0xc4;
constexpr std::uint8_t kBin16 = 0xc5;
constexpr std::uint8_t kBin32 = 0xc6;
constexpr std::uint8_t kFloat32 = 0xca;
constexpr std::uint8_t kFloat64 = 0xcb;
constexpr std::uint8_t kUint8 = 0xcc;
constexpr std::uint8_t kUint16 = 0xcd;
constexpr std::uint8_t kUint32 = 0xce;
constexpr std::uint8_t kUint64 = 0xcf;
constexpr std::uint8_t kInt8 = 0xd0;
constexpr std::uint8_t kInt64 = 0xd3;
constexpr std::uint8_t kString8 = 0xd9;
constexpr std::uint8_t kString16 = 0xda;
constexpr std::uint8_t kString32 = 0xdb;
constexpr std::uint8_t kArray16 = 0xdc;
constexpr std::uint8_t kArray32 = 0xdd;
constexpr std::uint8_t kMap16 = 0xde;
constexpr std::uint8_t kMap32 = 0xdf;

}  // namespace

std::uint64_t MsgpackReader::Fail() noexcept {
  ok_ = false;
  bytes_ = {};
  return 0;
}

std::uint8_t MsgpackReader::Byte() {
  const std::span<const std::byte> byte = Take(1);
  return byte.empty() ? kNil : std::to_integer<std::uint8_t>(byte.front());
}

std::span<const std::byte> MsgpackReader::Take(std::size_t size) {
  if (size > bytes_.size()) {
    Fail();
    return {};
  }
  const auto taken = bytes_.first(size);
  bytes_ = bytes_.subspan(size);
  return taken;
}

std::uint64_t MsgpackReader::BigEndian(std::size_t size) {
  std::uint64_t value = 0;
  for (const std::byte byte : Take(size)) {
    value = value << 8U | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

std::uint64_t MsgpackReader::Signed(std::size_t size) {
  const std::uint64_t value = BigEndian(size);
  const bool is_negative = (value >> (8 * size - 1)) != 0;
  return is_negative ? Fail() : value;
}

std::size_t MsgpackReader::Count(std::uint64_t count) {
  return count <= bytes_.size() ? static_cast<std::size_t>(count)
                                : static_cast<std::size_t>(Fail());
}

std::size_t MsgpackReader::Array() {
  const std::uint8_t type = Byte();
  if ((type & 0xf0U) == kFixArray) return Count(type & 0x0fU);
  if (type == kArray16) return Count(BigEndian(2));
  if (type == kArray32) return Count(BigEndian(4));
  return static_cast<std::size_t>(Fail());
}

std::size_t MsgpackReader::Map() {
  const std::uint8_t type = Byte();
  if ((type & 0xf0U) == kFixMap) return Count(type & 0x0fU);
  if (type == kMap16) return Count(BigEndian(2));
  if (type == kMap32) return Count(BigEndian(4));
  return static_cast<std::size_t>(Fail());
}

std::string_view MsgpackReader::String() {
  const std::uint8_t type = Byte();
  std::uint64_t length = 0;
  if ((type & 0xe0U) == kFixString) {
    length = type & 0x1fU;
  } else if (type >= kString8 && type <= kString32) {
    length = BigEndian(std::size_t{1} << static_cast<unsigned>(type - kString8));
  } else {
    Fail();
  }
  const std::span<const std::byte> text = Take(length);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

std::span<const std::byte> MsgpackReader::Binary() {
  const std::uint8_t type = Byte();
  if (type < kBin8 || type > kBin32) {
    Fail();
    return {};
  }
  return Take(BigEndian(std::size_t{1} << static_cast<unsigned>(type - kBin8)));
}

std::uint64_t MsgpackReader::Unsigned() {
  const std::uint8_t type = Byte();
  if (type < kFixMap) return type;
  if (type >= kUint8 && type <= kUint64) {
    return BigEndian(std::size_t{1} << static_cast<unsigned>(type - kUint8));
  }
  if (type >= kInt8 && type <= kInt64) {
    return Signed(std::size_t{1} << static_cast<unsigned>(type - kInt8));
  }
  return Fail();
}

double MsgpackReader::Number() {
  if (!bytes_.empty()) {
    const auto type = std::to_integer<std::uint8_t>(bytes_.front());
    if (type == kFloat32) {
      Byte();
      return std::bit_cast<float>(static_cast<std::uint32_t>(BigEndian(4)));
    }
    if (type == kFloat64) {
      Byte();
      return std::bit_cast<double>(BigEndian(8));
    }
  }
  return static_cast<double>(Unsigned());
}

void MsgpackWriter::BigEndian(std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i > 0; --i) {
    *to_++ = static_cast<std::byte>(value >> (8 * (i - 1)) & 0xffU);
  }
}

void MsgpackWriter::Header(std::uint8_t type, std::uint64_t value, std::size_t size) {
  *to_++ = std::byte{type};
  BigEndian(value, size);
}

void MsgpackWriter::Array(std::size_t count) {
  if (count < 16) return Header(static_cast<std::uint8_t>(kFixArray | count), 0, 0);
  if (count <= 0xffff) return Header(kArray16, count, 2);
  Header(kArray32, count, 4);
}

void MsgpackWriter::Map(std::size_t count) {
  if (count < 16) return Header(static_cast<std::uint8_t>(kFixMap | count), 0, 0);
  if (count <= 0xffff) return Header(kMap16, count, 2);
  Header(kMap32, count, 4);
}

void MsgpackWriter::String(std::string_view text) {
  if (text.size() < 32) {
    Header(static_cast<std::uint8_t>(kFixString | text.size()), 0, 0);
  } else if (text.size() <= 0xff) {
    Header(kString8, text.size(), 1);
  } else if (text.size() <= 0xffff) {
    Header(kString16, text.size(), 2);
  } else {
    Header(kString32, text.size(), 4);
  }
  Raw(std::as_bytes(std::span(text)));
}

void MsgpackWriter::Binary(std::span<const std::byte> data) {
  BinaryHeader(data.size());
  Raw(data);
}

void MsgpackWriter::BinaryHeader(std::size_t size) {
  if (size <= 0xff) {
    Header(kBin8, size, 1);
  } else if (size <= 0xffff) {
    Header(kBin16, size, 2);
  } else {
    Header(kBin32, size, 4);
  }
}

void MsgpackWriter::Unsigned(std::uint64_t value) {
  if (value < kFixMap) return Header(static_cast<std::uint8_t>(value), 0, 0);
  if (value <= 0xff) return Header(kUint8, value, 1);
  if (value <= 0xffff) return Header(kUint16, value, 2);
  if (value <= 0xffff'ffff) return Header(kUint32, value, 4);
  Header(kUint64, value, 8);
}

void MsgpackWriter::Float(double value) {
  Header(kFloat64, std::bit_cast<std::uint64_t>(value), 8);
}

void MsgpackWriter::Nil() { Header(kNil, 0, 0); }

void MsgpackWriter::Boolean(bool value) { Header(value ? kTrue : kFalse, 0, 0); }

void MsgpackWriter::Raw(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  std::memcpy(to_, bytes.data(), bytes.size());
  to_ += bytes.size();
}

}  // namespace warmswap
