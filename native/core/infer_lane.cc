#include "core/infer_lane.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "core/request_errors.h"

namespace warmswap {
namespace {

/// More batches of a turn than these give their memory back.
constexpr std::size_t kKeptBatches = 8;

/// Puts the frame's inputs into `inputs`, in the model's order; false unless they are exactly the
/// model's.
bool MatchInputs(const Model& model, InferFrame& frame, std::vector<TensorView*>& inputs) {
  const std::vector<TensorSpec>& specs = model.inputs();
  if (frame.inputs.size() != specs.size()) return false;
  inputs.clear();
  for (const TensorSpec& spec : specs) {
    const auto found = std::ranges::find(frame.inputs, spec.name, &InferFrame::Input::name);
    if (found == frame.inputs.end() || spec.type == DataType::kBytes) return false;
    if (!Fits(spec, found->tensor)) return false;
    inputs.push_back(&found->tensor);
  }
  return true;
}

std::size_t ByteSizeOf(std::span<TensorView* const> inputs) noexcept {
  return std::accumulate(
      inputs.begin(), inputs.end(), std::size_t{0},
      [](std::size_t sum, const TensorView* input) { return sum + input->data.size(); });
}

std::vector<InputTensor> CopyInputs(std::span<TensorView* const> inputs, MemoryPool& pool) {
  std::vector<InputTensor> copies;
  copies.reserve(inputs.size());
  for (TensorView* input : inputs) copies.push_back(CopyInput(std::move(*input), pool));
  return copies;
}

/// Puts the indices of the outputs asked for into `indices`; false if one of them is not the
/// model's.
bool MatchOutputs(const Model& model, const InferFrame& frame, std::vector<std::size_t>& indices) {
  indices.clear();
  for (const std::string_view name : frame.outputs) {
    const auto found = std::ranges::find(model.outputs(), name, &TensorSpec::name);
    if (found == model.outputs().end()) return false;
    indices.push_back(static_cast<std::size_t>(found - model.outputs().begin()));
  }
  if (!frame.outputs.empty()) return true;
  indices.resize(model.outputs().size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return true;
}

std::shared_ptr<const AnswerFormat> FormatOf(const Route& route, const Model& model,
                                             const InferFrame& frame,
                                             std::span<const std::size_t> outputs) {
  if (frame.outputs.empty()) return route.format;
  std::vector<const TensorSpec*> specs;
  for (const std::size_t index : outputs) specs.push_back(&model.outputs()[index]);
  return std::make_shared<const AnswerFormat>(route.model, route.served_version, specs);
}

Clock::time_point DeadlineOf(const Route& route, const InferFrame& frame, Clock::time_point now) {
  if (frame.deadline_ms) {
    return now + std::chrono::duration_cast<Clock::duration>(
                     std::chrono::duration<double, std::milli>(*frame.deadline_ms));
  }
  return route.deadline ? now + *route.deadline : Clock::time_point::max();
}

/// A request that is queued, and owns what it has.
Request ToRequest(const IncomingRequest& incoming, const InferFrame& frame, MemoryPool& pool) {
  Request request;
  request.ticket = incoming.ticket;
  request.queued_at = incoming.queued_at;
  request.deadline = incoming.deadline;
  request.priority = frame.priority;
  request.reply = Reply{incoming.msgid, incoming.format};
  request.outputs.assign(incoming.outputs.begin(), incoming.outputs.end());
  request.inputs = CopyInputs(incoming.inputs, pool);
  return request;
}

}  // namespace

std::optional<InferLane::Accepted> InferLane::Accept(std::span<const std::byte> bytes,
                                                     std::uint64_t ticket, AnswerSink& sink) {
  if (!ReadInferFrame(bytes, frame_)) return std::nullopt;
  const std::optional<std::size_t> index = routes_.Find(frame_);
  if (!index) return std::nullopt;
  const Route& route = routes_.at(*index);
  const std::shared_ptr<Model> model = route.target.lock();
  if (!model || !route.format || frame_.priority >= model->priorities()) return std::nullopt;
  if (!MatchInputs(*model, frame_, inputs_)) return std::nullopt;
  if (!MatchOutputs(*model, frame_, outputs_)) return std::nullopt;
  Accepted accepted{*index, frame_.msgid, false, {}};
  const bool is_inline = model->PrefersInline(ByteSizeOf(inputs_));
  if (!is_inline) accepted.refused = model->Refuse(frame_.priority);
  if (accepted.refused) return accepted;
  const auto format = FormatOf(route, *model, frame_, outputs_);
  const Clock::time_point now = Clock::now();
  const IncomingRequest request{
      ticket, frame_.msgid, format, inputs_, outputs_, now, DeadlineOf(route, frame_, now)};
  if (is_inline) {
    accepted.is_done = RunInline(*model, request, ShareOf(model), sink);
  } else if (!Queue(model, ToRequest(request, frame_, model->blocks()))) {
    return std::nullopt;
  }
  return accepted;
}

bool InferLane::RunInline(Model& model, const IncomingRequest& request, Share& share,
                          AnswerSink& sink) {
  GatheredBatch& batch = share.Gather(request);
  if (model.is_batched()) return false;
  model.RunInline(batch, request.queued_at, sink);
  share.Clear();
  return true;
}

bool InferLane::Queue(const std::shared_ptr<Model>& model, Request request) {
  const Clock::time_point deadline = request.deadline;
  if (!model->TrySubmit(std::move(request))) return false;
  ShareOf(model).has_queued = true;
  earliest_deadline_ = std::min(earliest_deadline_, deadline);
  return true;
}

InferLane::Share& InferLane::ShareOf(const std::shared_ptr<Model>& model) {
  const auto is_its = [&](const Share& share) {
    return !share.model.owner_before(model) && !model.owner_before(share.model);
  };
  const auto found = std::ranges::find_if(shares_, is_its);
  return found != shares_.end() ? *found : shares_.emplace_back(model);
}

void InferLane::EndTurn(AnswerSink& sink) {
  std::vector<Share> turn = std::exchange(shares_, {});
  for (Share& share : turn) share.EndTurn(sink);
  std::erase_if(turn, [](const Share& share) { return share.model.expired(); });
  if (shares_.empty()) shares_ = std::move(turn);
}

InferLane::Share::Share(const std::shared_ptr<Model>& its_model)
    : model(its_model), pool(&its_model->host_blocks()), max_rows(its_model->max_batch()) {}

GatheredBatch& InferLane::Share::Gather(const IncomingRequest& request) {
  if (used == 0 || !batches[used - 1].Add(request, max_rows)) {
    if (used == batches.size()) batches.emplace_back(*pool);
    batches[used].Add(request, max_rows);
    ++used;
  }
  return batches[used - 1];
}

void InferLane::Share::EndTurn(AnswerSink& sink) {
  const std::shared_ptr<Model> held = model.lock();
  if (std::exchange(has_queued, false) && held) held->Wake();
  for (std::size_t i = 0; i < used; ++i) {
    if (held) {
      held->RunInline(batches[i], Clock::now(), sink);
    } else {
      for (const auto& member : batches[i].members()) sink.OnError(member.ticket, Unloading());
    }
  }
  Clear();
}

void InferLane::Share::Clear() noexcept {
  for (std::size_t i = 0; i < used; ++i) batches[i].Clear();
  if (batches.size() > kKeptBatches) {
    batches.erase(batches.begin() + kKeptBatches, batches.end());
  }
  used = 0;
}

}  // namespace warmswap
