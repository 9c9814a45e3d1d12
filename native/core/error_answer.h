#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.h"

namespace warmswap {

/// At least as many bytes as WriteErrorAnswer writes.
std::size_t MaxErrorAnswerSize(const Error& error) noexcept;

/// Packs `[1, msgid, {code, message, retryable}, nil]` (DESIGN §7) for an error without details;
/// returns the end of what it wrote. The same bytes as src/rpc/frames.ts makes of it.
std::byte* WriteErrorAnswer(std::byte* to, std::uint32_t msgid, const Error& error);

}  // namespace warmswap
