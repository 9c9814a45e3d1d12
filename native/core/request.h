#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/input_tensor.h"

namespace warmswap {

using Clock = std::chrono::steady_clock;

class AnswerFormat;

/// How the answer of a request is to be packed (core/answer_format.h).
struct Reply {
  std::uint32_t msgid = 0;
  std::shared_ptr<const AnswerFormat> format;
};

/// One inference on its way to a run.
struct Request {
  std::uint64_t ticket = 0;          ///< chosen by the caller, given back with the completion
  std::vector<InputTensor> inputs;   ///< one per input of the session, in its order
  std::vector<std::size_t> outputs;  ///< indices of the outputs asked for
  Clock::time_point deadline = Clock::time_point::max();
  /// 0 is the most urgent; the queue's middle priority if left out.
  std::optional<std::size_t> priority = std::nullopt;
  Clock::time_point queued_at = {};  ///< set by RequestQueue::Push
  /// What it has in common with the requests that it may run together with (MarkForBatching); empty
  /// for a request that runs alone.
  std::vector<std::int64_t> batch_key = {};
  std::size_t rows = 0;  ///< size of the inputs' first dimension, where there is a batch_key
  /// Given back with the completion; without one the answer becomes JavaScript objects.
  std::optional<Reply> reply = std::nullopt;
};

}  // namespace warmswap
