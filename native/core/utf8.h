#pragma once

#include <string_view>

namespace warmswap {

/// Whether the bytes are text in UTF-8 (RFC 3629): no overlong forms, no surrogates.
bool IsUtf8(std::string_view bytes) noexcept;

}  // namespace warmswap
