#include "core/error_answer.h"

#include <string_view>

#include "core/msgpack.h"

namespace warmswap {
namespace {

constexpr std::uint64_t kResponse = 1;
/// Enough for everything but the message: the longest code and the keys.
constexpr std::size_t kAround = 128;

}  // namespace

std::size_t MaxErrorAnswerSize(const Error& error) noexcept {
  return kAround + std::string_view(error.what()).size();
}

std::byte* WriteErrorAnswer(std::byte* to, std::uint32_t msgid, const Error& error) {
  MsgpackWriter writer(to);
  writer.Array(4);
  writer.Unsigned(kResponse);
  writer.Unsigned(msgid);
  writer.Map(3);
  writer.String("code");
  writer.String(ToString(error.code()));
  writer.String("message");
  writer.String(error.what());
  writer.String("retryable");
  writer.Boolean(IsRetryable(error.code()));
  writer.Nil();
  return writer.end();
}

}  // namespace warmswap
