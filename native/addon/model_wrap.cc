#include "addon/model_wrap.h"

#include <utility>
#include <vector>

#include "addon/errors.h"
#include "addon/from_js.h"
#include "addon/instance.h"
#include "addon/to_js.h"

namespace warmswap {
namespace {

std::vector<InputTensor> ValidInputs(const Model& model, std::vector<TensorView> views) {
  const std::vector<TensorSpec>& specs = model.inputs();
  if (views.size() != specs.size()) {
    throw Error(ErrorCode::kInvalidArgument, "expected " + std::to_string(specs.size()) +
                                                 " inputs, got " + std::to_string(views.size()));
  }
  for (std::size_t i = 0; i < specs.size(); ++i) Validate(specs[i], views[i]);
  std::vector<InputTensor> inputs;
  inputs.reserve(views.size());
  for (TensorView& view : views) inputs.push_back(CopyInput(std::move(view), model.blocks()));
  return inputs;
}

}  // namespace

Napi::Function ModelWrap::Define(Napi::Env env) {
  return DefineClass(
      env, "Model",
      {InstanceAccessor<&ModelWrap::Inputs>("inputs"),
       InstanceAccessor<&ModelWrap::Outputs>("outputs"),
       InstanceAccessor<&ModelWrap::MappedBytes>("mappedBytes"),
       InstanceMethod<&ModelWrap::Submit>("submit"), InstanceMethod<&ModelWrap::Cancel>("cancel"),
       InstanceMethod<&ModelWrap::Stats>("stats"), InstanceMethod<&ModelWrap::Memory>("memory"),
       InstanceMethod<&ModelWrap::Prepack>("prepack"),
       InstanceMethod<&ModelWrap::Unload>("unload")});
}

Napi::Object ModelWrap::New(Napi::Env env, std::shared_ptr<Model> model) {
  const Instance& instance = *env.GetInstanceData<Instance>();
  const Napi::Object object = instance.model_constructor.New({});
  ModelWrap* wrap = Unwrap(object);
  wrap->model_ = std::move(model);
  wrap->core_ = instance.runtime.lock();
  return object;
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

ModelWrap::~ModelWrap() {
  if (model_) core_->Discard(std::move(model_));
}

Napi::Value ModelWrap::Inputs(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] { return FromSpecs(info.Env(), Loaded()->inputs()); });
}

Napi::Value ModelWrap::Outputs(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] { return FromSpecs(info.Env(), Loaded()->outputs()); });
}

Napi::Value ModelWrap::MappedBytes(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] {
    return Napi::Number::New(info.Env(), static_cast<double>(Loaded()->mapped_bytes()));
  });
}

// submit(ticket, datatypes, shapes, data, outputs, deadlineMs, priority)
void ModelWrap::Submit(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    Model& model = *Loaded();
    Request request;
    request.ticket = ToTicket(info[0]);
    request.inputs = ValidInputs(model, ToTensorViews(info[1], info[2], info[3]));
    request.outputs = ToIndices(info[4], model.outputs().size());
    request.deadline = ToDeadline(info[5]);
    request.priority = ToPriority(info[6]);
    core_->Submit(model, std::move(request));
  });
}

// cancel(ticket)
void ModelWrap::Cancel(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    if (model_) model_->Cancel(ToTicket(info[0]));
  });
}

Napi::Value ModelWrap::Stats(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(),
                 [&] { return FromStatistics(info.Env(), Loaded()->ReadStatistics()); });
}

void ModelWrap::Memory(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] { core_->Measure(ToTicket(info[0]), Loaded()); });
}

void ModelWrap::Prepack(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    const std::shared_ptr<Model> model = Loaded();
    auto prepack = [known = std::weak_ptr<Model>(model)]() -> Outcome {
      const auto held = known.lock();
      if (!held) throw Error(ErrorCode::kCancelled, "this model is unloaded");
      held->Prepack();
      return std::monostate();
    };
    core_->Post(ToTicket(info[0]), std::move(prepack), [known = std::weak_ptr<Model>(model)] {
      if (const auto held = known.lock()) held->CancelPrepacking();
    });
  });
}

// The model goes on the loader thread: ending threads and freeing gigabytes takes a while.
void ModelWrap::Unload(const Napi::CallbackInfo& info) {
  Guarded(info.Env(), [&] {
    Loaded()->CancelPrepacking();
    const std::uint64_t ticket = ToTicket(info[0]);
    // Moved all the way, so that the last reference goes there and not here.
    core_->Unload(ticket, std::move(model_));
  });
}

const std::shared_ptr<Model>& ModelWrap::Loaded() const {
  if (!model_) throw Error(ErrorCode::kUnavailable, "this model is unloaded");
  return model_;
}

}  // namespace warmswap
