#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace warmswap {

/// The error codes of the contract (gRPC's names). `code` is what clients match on.
enum class ErrorCode {
  kInvalidArgument,
  kNotFound,
  kFailedPrecondition,
  kResourceExhausted,
  kDeadlineExceeded,
  kCancelled,
  kUnavailable,
  kUnimplemented,
  kInternal,
};

/// The code as it appears on the wire, for example "INVALID_ARGUMENT".
std::string_view ToString(ErrorCode code) noexcept;

/// Whether the same request may be tried again, perhaps elsewhere (src/rpc/codes.ts).
constexpr bool IsRetryable(ErrorCode code) noexcept {
  return code == ErrorCode::kResourceExhausted || code == ErrorCode::kUnavailable;
}

/// What a load takes and what there is, in bytes; the first is more.
struct MemoryShortage {
  std::uint64_t needed_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::string device = {};  ///< whose memory it is, such as "cuda:0"; "" for the host's
};

/// Every failure that leaves the core. The message is for people: it names what was expected and
/// what came.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message,
        std::optional<MemoryShortage> shortage = std::nullopt)
      : std::runtime_error(message), code_(code), shortage_(std::move(shortage)) {}
  ErrorCode code() const noexcept { return code_; }
  /// Of a load that was refused for it.
  const std::optional<MemoryShortage>& shortage() const noexcept { return shortage_; }

 private:
  ErrorCode code_;
  std::optional<MemoryShortage> shortage_;
};

/// Turns the exception being handled into an Error; call only inside a catch block.
/// Never throws; what it cannot name becomes kInternal.
Error CurrentExceptionAsError() noexcept;

}  // namespace warmswap
