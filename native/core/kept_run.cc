#include "core/kept_run.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace warmswap {
namespace {

bool IsNameOfInputs(const Session& session, std::string_view symbol) {
  return !symbol.empty() && std::ranges::any_of(session.inputs(), [&](const TensorSpec& input) {
    return std::ranges::find(input.symbols, symbol) != input.symbols.end();
  });
}

/// Whether the shapes of inputs tell the shape of an output, whatever the values are.
bool IsShapeKnown(const Session& session, const TensorSpec& output) {
  for (std::size_t i = 0; i < output.shape.size(); ++i) {
    if (output.shape[i] < 0 && !IsNameOfInputs(session, output.symbols[i])) return false;
  }
  return true;
}

bool CanBeKept(const Session& session, std::span<const std::size_t> wanted,
               const RunOutputs& outputs) {
  std::size_t bytes = 0;
  for (const RunOutputs::Tensor& tensor : outputs.tensors()) {
    if (tensor.type == DataType::kBytes) return false;
    bytes += tensor.data.size();
  }
  return session.is_on_processor() && bytes <= KeptRun::kMaxOutputBytes &&
         std::ranges::all_of(wanted, [&](std::size_t index) {
           return std::ranges::count(wanted, index) == 1 &&
                  IsShapeKnown(session, session.outputs()[index]);
         });
}

std::vector<Ort::Value> Like(const RunOutputs& outputs) {
  Ort::AllocatorWithDefaultOptions allocator;
  std::vector<Ort::Value> values;
  for (const RunOutputs::Tensor& tensor : outputs.tensors()) {
    values.push_back(Ort::Value::CreateTensor(allocator, tensor.shape.data(), tensor.shape.size(),
                                              ToOrt(tensor.type)));
  }
  return values;
}

}  // namespace

std::shared_ptr<const RunOutputs> KeptRun::Run(Ort::RunOptions& options, Session& session,
                                               const GatheredBatch& batch) {
  batch.Describe(next_.data, next_.shapes);
  next_.outputs.assign(batch.outputs().begin(), batch.outputs().end());
  const bool is_known = next_ == key_;
  // Whoever holds outputs may still read them.
  if (is_known && outputs_ && outputs_.use_count() == 1) {
    if (auto outputs = TryKept(options, session)) return outputs;
  }
  std::vector<Ort::Value> inputs = batch.ToOrtValues();
  auto outputs = std::make_shared<const RunOutputs>(session.Run(options, inputs, batch.outputs()));
  if (!is_known) {
    Forget();
    std::swap(key_, next_);
  } else if (may_keep_ && !outputs_ && CanBeKept(session, batch.outputs(), *outputs)) {
    Keep(session, std::move(inputs), *outputs);
  }
  return outputs;
}

// What fails here is run again as if nothing were kept: then it shows whose fault it is.
std::shared_ptr<const RunOutputs> KeptRun::TryKept(Ort::RunOptions& options, Session& session) {
  try {
    session.Run(options, name_pointers_, inputs_, outputs_->values());
    return outputs_;
  } catch (const Ort::Exception&) {
    Forget();
    may_keep_ = false;
    return nullptr;
  }
}

void KeptRun::Keep(const Session& session, std::vector<Ort::Value> inputs,
                   const RunOutputs& outputs) {
  names_.clear();
  for (const TensorSpec& input : session.inputs()) names_.push_back(input.name);
  for (const std::size_t index : key_.outputs) names_.push_back(session.outputs()[index].name);
  name_pointers_.clear();
  for (const std::string& name : names_) name_pointers_.push_back(name.c_str());
  inputs_ = std::move(inputs);
  outputs_ = std::make_shared<RunOutputs>(Like(outputs));
}

void KeptRun::Forget() noexcept {
  outputs_.reset();
  inputs_.clear();
}

}  // namespace warmswap
