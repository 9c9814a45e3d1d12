#include "core/infer_lane.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/request_errors.h"

namespace warmswap {
namespace {

/// The frame's inputs in the model's order; nothing unless they are exactly the model's.
std::optional<std::vector<TensorView*>> MatchInputs(const Model& model, InferFrame& frame) {
  const std::vector<TensorSpec>& specs = model.inputs();
  if (frame.inputs.size() != specs.size()) return std::nullopt;
  std::vector<TensorView*> inputs;
  inputs.reserve(specs.size());
  for (const TensorSpec& spec : specs) {
    const auto found = std::ranges::find(frame.inputs, spec.name, &InferFrame::Input::name);
    if (found == frame.inputs.end() || spec.type == DataType::kBytes) return std::nullopt;
    if (!Fits(spec, found->tensor)) return std::nullopt;
    inputs.push_back(&found->tensor);
  }
  return inputs;
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

/// The indices of the outputs asked for; nothing if one of them is not the model's.
std::optional<std::vector<std::size_t>> OutputIndices(const Model& model, const InferFrame& frame) {
  std::vector<std::size_t> indices;
  for (const std::string_view name : frame.outputs) {
    const auto found = std::ranges::find(model.outputs(), name, &TensorSpec::name);
    if (found == model.outputs().end()) return std::nullopt;
    indices.push_back(static_cast<std::size_t>(found - model.outputs().begin()));
  }
  if (!frame.outputs.empty()) return indices;
  indices.resize(model.outputs().size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

std::shared_ptr<const AnswerFormat> FormatOf(const Route& route, const Model& model,
                                             std::span<const std::size_t> outputs) {
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

/// Without ticket and inputs.
Request ToRequest(const Route& route, const Model& model, const InferFrame& frame,
                  std::vector<std::size_t> outputs) {
  Request request;
  request.queued_at = Clock::now();
  request.deadline = DeadlineOf(route, frame, request.queued_at);
  request.priority = frame.priority;
  request.reply =
      Reply{frame.msgid, frame.outputs.empty() ? route.format : FormatOf(route, model, outputs)};
  request.outputs = std::move(outputs);
  return request;
}

std::vector<Completion> AllUnloading(std::span<Request> requests) {
  std::vector<Completion> done;
  for (Request& request : requests) {
    done.push_back({request.ticket, std::move(request.reply), Unloading()});
  }
  return done;
}

}  // namespace

std::optional<InferLane::Accepted> InferLane::Accept(std::span<const std::byte> bytes,
                                                     std::uint64_t ticket) {
  std::optional<InferFrame> frame = ParseInferFrame(bytes);
  if (!frame) return std::nullopt;
  const std::optional<std::size_t> index = routes_.Find(*frame);
  if (!index) return std::nullopt;
  const Route& route = routes_.at(*index);
  const std::shared_ptr<Model> model = route.target.lock();
  if (!model || !route.format || frame->priority >= model->priorities()) return std::nullopt;
  const std::optional<std::vector<TensorView*>> inputs = MatchInputs(*model, *frame);
  if (!inputs) return std::nullopt;
  std::optional<std::vector<std::size_t>> outputs = OutputIndices(*model, *frame);
  if (!outputs) return std::nullopt;
  Accepted accepted{*index, frame->msgid, {}, {}};
  const bool is_inline = model->PrefersInline(ByteSizeOf(*inputs));
  if (!is_inline) accepted.refused = model->Refuse(frame->priority);
  if (accepted.refused) return accepted;
  Request request = ToRequest(route, *model, *frame, std::move(*outputs));
  request.ticket = ticket;
  request.inputs = CopyInputs(*inputs, model->blocks());
  if (is_inline) {
    accepted.done = RunInline(model, std::move(request));
  } else if (!Queue(model, std::move(request))) {
    return std::nullopt;
  }
  return accepted;
}

std::optional<Completion> InferLane::RunInline(const std::shared_ptr<Model>& model,
                                               Request request) {
  if (!model->is_batched()) return model->RunInline(std::move(request));
  ShareOf(model).inline_requests.push_back(std::move(request));
  return std::nullopt;
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
  const auto found = std::ranges::find_if(turn_, is_its);
  return found != turn_.end() ? *found : turn_.emplace_back(Share{model, {}, false});
}

std::vector<Completion> InferLane::EndTurn() {
  std::vector<Completion> done;
  for (Share& share : std::exchange(turn_, {})) {
    const std::shared_ptr<Model> model = share.model.lock();
    if (model && share.has_queued) model->Wake();
    if (share.inline_requests.empty()) continue;
    std::vector<Completion> ran = model ? model->RunInline(std::move(share.inline_requests))
                                        : AllUnloading(share.inline_requests);
    std::ranges::move(ran, std::back_inserter(done));
  }
  return done;
}

}  // namespace warmswap
