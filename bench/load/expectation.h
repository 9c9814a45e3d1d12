#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "options.h"

namespace load {

/// What a good response looks like.
class Expectation {
 public:
  /// Throws UsageError for a prefix that is no hexadecimal text.
  explicit Expectation(const Options& options);

  bool IsMetBy(std::string_view payload) const;

 private:
  struct Byte {
    std::uint8_t value;
    std::uint8_t mask;  ///< 0: any byte will do
  };

  std::vector<Byte> prefix_;
  std::optional<std::size_t> length_;
};

}  // namespace load
