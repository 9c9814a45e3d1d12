#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace warmswap {

/// Reads MessagePack values in order, without copying. After a value of another type, or past the
/// end, it stays failed and gives zeros: check `ok` at the end. Strings are not checked for UTF-8.
class MsgpackReader {
 public:
  explicit MsgpackReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return bytes_.empty(); }

  /// Number of elements that follow, each at least one byte long.
  std::size_t Array();
  /// Number of pairs that follow.
  std::size_t Map();
  std::string_view String();
  std::span<const std::byte> Binary();
  /// An integer of any width that is not negative.
  std::uint64_t Unsigned();
  /// An integer that is not negative, or a float.
  double Number();

 private:
  std::uint64_t Fail() noexcept;
  std::uint8_t Byte();
  std::uint64_t BigEndian(std::size_t size);
  std::uint64_t Signed(std::size_t size);
  std::span<const std::byte> Take(std::size_t size);
  std::size_t Count(std::uint64_t count);

  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

/// Writes MessagePack values into memory that the caller knows to be big enough.
class MsgpackWriter {
 public:
  /// The most that a value takes beside the bytes of its text or data.
  static constexpr std::size_t kMaxHeader = 9;

  explicit MsgpackWriter(std::byte* to) : to_(to) {}

  std::byte* end() const noexcept { return to_; }

  void Array(std::size_t count);
  void Map(std::size_t count);
  void String(std::string_view text);
  void Binary(std::span<const std::byte> data);
  /// What comes before the data of a Binary.
  void BinaryHeader(std::size_t size);
  void Unsigned(std::uint64_t value);
  void Float(double value);
  void Nil();
  void Boolean(bool value);
  /// Bytes that are MessagePack already.
  void Raw(std::span<const std::byte> bytes);

 private:
  void BigEndian(std::uint64_t value, std::size_t size);
  void Header(std::uint8_t type, std::uint64_t value, std::size_t size);

  std::byte* to_;
};

}  // namespace warmswap
