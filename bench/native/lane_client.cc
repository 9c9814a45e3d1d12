#include "lane_client.h"

#include <optional>
#include <utility>
#include <variant>

#include "core/error.h"

namespace warmswap::bench {

Runner::OnComplete LaneClient::Callback() {
  return
      [this](std::vector<Completion> completions) { completions_.PushAll(std::move(completions)); };
}

RunResult LaneClient::Infer(std::span<const std::byte> frame) {
  Kept kept;
  if (!lane_.Accept(frame, 1, kept)) {
    throw Error(ErrorCode::kInternal, "the lane does not take the frame");
  }
  lane_.EndTurn(kept);
  Completion completion = kept.completion ? std::move(*kept.completion) : Wait();
  if (const auto* error = std::get_if<Error>(&completion.outcome)) throw Error(*error);
  return std::get<RunResult>(std::move(completion.outcome));
}

Completion LaneClient::Wait() {
  finished_.acquire();
  return std::move(completions_.TakeAll().front());
}

}  // namespace warmswap::bench
