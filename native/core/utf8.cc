#include "core/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace warmswap {
namespace {

/// What a first byte says about its character; a length of 0 is none.
struct Lead {
  std::size_t length;
  // Bounds of the second byte: they exclude overlong forms, surrogates and what is beyond U+10FFFF.
  std::uint8_t low;
  std::uint8_t high;
};

constexpr std::uint8_t kContinuation = 0x80;
constexpr std::uint8_t kLastContinuation = 0xbf;

Lead LeadOf(std::uint8_t byte) noexcept {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xc2 && byte <= 0xdf) return {2, kContinuation, kLastContinuation};
  if (byte == 0xe0) return {3, 0xa0, kLastContinuation};
  if (byte == 0xed) return {3, kContinuation, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3, kContinuation, kLastContinuation};
  if (byte == 0xf0) return {4, 0x90, kLastContinuation};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, kContinuation, kLastContinuation};
  if (byte == 0xf4) return {4, kContinuation, 0x8f};
  return {0, 0, 0};
}

bool IsContinuation(char character) noexcept {
  const auto byte = static_cast<std::uint8_t>(character);
  return byte >= kContinuation && byte <= kLastContinuation;
}

}  // namespace

bool IsUtf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const Lead lead = LeadOf(static_cast<std::uint8_t>(bytes.front()));
    if (lead.length == 0 || lead.length > bytes.size()) return false;
    if (lead.length > 1) {
      const auto second = static_cast<std::uint8_t>(bytes[1]);
      if (second < lead.low || second > lead.high) return false;
      if (!std::ranges::all_of(bytes.substr(2, lead.length - 2), IsContinuation)) return false;
    }
    bytes.remove_prefix(lead.length);
  }
  return true;
}

}  // namespace warmswap
