#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/answer_sink.h"
#include "core/gathered_batch.h"
#include "core/infer_frame.h"
#include "core/model.h"
#include "core/request.h"
#include "core/route_table.h"

namespace warmswap {

/// Takes plain `infer` requests as they come off the wire, without JavaScript in between: reads the
/// frame, finds the version, copies the inputs once, and hands the request to that version's runner
/// threads. A model whose runs are short enough runs at once, or, if it is batched, at the end of
/// the event loop's turn with all that came in it; those inputs are copied to where they are run.
/// For the JavaScript thread only. Nothing of it waits.
class InferLane {
 public:
  struct Accepted {
    std::size_t route;
    std::uint32_t msgid;
    bool is_done;                  ///< the sink has been told what became of it
    std::optional<Error> refused;  ///< where the queue is full: it has ended with this
  };

  void SetRoutes(RouteTable routes) { routes_ = std::move(routes); }

  /// Nothing, and nothing has happened, where the frame is not a request that this serves: the
  /// complete path answers such, and knows what is wrong. Else, unless it is done or refused, the
  /// request completes with `ticket`: by the version's runner threads, or by EndTurn, which must be
  /// called once all that has arrived together is accepted.
  std::optional<Accepted> Accept(std::span<const std::byte> frame, std::uint64_t ticket,
                                 AnswerSink& sink);

  /// Runs what waits for it and wakes the runner threads that have been given something. The sink
  /// may not call this object but for SetRoutes.
  void EndTurn(AnswerSink& sink);

  /// The earliest deadline of what was queued since the last call; max if there is none.
  Clock::time_point TakeEarliestDeadline() noexcept {
    return std::exchange(earliest_deadline_, Clock::time_point::max());
  }

 private:
  /// What a version was given in this turn, and memory for the next one.
  struct Share {
    explicit Share(const std::shared_ptr<Model>& model);
    GatheredBatch& Gather(const IncomingRequest& request);
    void EndTurn(AnswerSink& sink);
    void Clear() noexcept;

    std::weak_ptr<Model> model;
    MemoryPool* pool;
    std::size_t max_rows;
    std::vector<GatheredBatch> batches;  // the first `used` have members
    std::size_t used = 0;
    bool has_queued = false;
  };

  static bool RunInline(Model& model, const IncomingRequest& request, Share& share,
                        AnswerSink& sink);
  bool Queue(const std::shared_ptr<Model>& model, Request request);
  Share& ShareOf(const std::shared_ptr<Model>& model);

  RouteTable routes_;
  std::vector<Share> shares_;
  // Kept, so that their memory is there for the next request.
  InferFrame frame_;
  std::vector<TensorView*> inputs_;
  std::vector<std::size_t> outputs_;
  Clock::time_point earliest_deadline_ = Clock::time_point::max();
};

}  // namespace warmswap
