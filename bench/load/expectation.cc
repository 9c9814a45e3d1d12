#include "expectation.h"

#include <charconv>
#include <string>

namespace load {

Expectation::Expectation(const Options& options) : length_(options.expected_length) {
  const std::string& text = options.expected_prefix;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::string digits = text.substr(i, 2);
    if (digits == "??") {
      prefix_.push_back({0, 0});
      continue;
    }
    std::uint8_t value = 0;
    const char* end = digits.data() + digits.size();
    if (digits.size() != 2 || std::from_chars(digits.data(), end, value, 16).ptr != end) {
      throw UsageError("--expect: expected pairs of hexadecimal digits, got '" + digits + "'");
    }
    prefix_.push_back({value, 0xff});
  }
}

bool Expectation::IsMetBy(std::string_view payload) const {
  if (length_ && payload.size() != *length_) return false;
  if (payload.size() < prefix_.size()) return false;
  for (std::size_t i = 0; i < prefix_.size(); ++i) {
    if ((static_cast<std::uint8_t>(payload[i]) & prefix_[i].mask) != prefix_[i].value) return false;
  }
  return true;
}

}  // namespace load
