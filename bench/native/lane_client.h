#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <semaphore>
#include <span>
#include <vector>

#include "core/answer_sink.h"
#include "core/completion_queue.h"
#include "core/infer_lane.h"
#include "core/runner.h"

namespace warmswap::bench {

/// Asks a lane as the JavaScript thread does, and waits for each answer. Must outlive the models,
/// whose runner threads call it.
class LaneClient {
 public:
  /// For all models that the lane routes to.
  Runner::OnComplete Callback();

  void SetRoutes(RouteTable routes) { lane_.SetRoutes(std::move(routes)); }

  /// Throws what the request failed with, or kInternal if the lane does not take the frame.
  RunResult Infer(std::span<const std::byte> frame);

 private:
  /// Keeps what it is told.
  class Kept final : public AnswerSink {
   public:
    void OnResult(std::uint64_t ticket, const Reply& reply, const RunResult& result) override {
      completion = Completion{ticket, reply, result};
    }
    void OnError(std::uint64_t ticket, const Error& error) override {
      completion = Completion{ticket, {}, error};
    }

    std::optional<Completion> completion;
  };

  Completion Wait();

  InferLane lane_;
  std::counting_semaphore<> finished_{0};
  CompletionQueue<Completion> completions_{[this] { finished_.release(); }};
};

}  // namespace warmswap::bench
