#pragma once

#include <memory>

#include "addon/napi.h"
#include "addon/runtime_core.h"

namespace warmswap {

/// JavaScript's `Model` (src/native/binding.ts): one loaded version. Only the runtime makes them.
/// All methods run on the JavaScript thread and none of them waits.
class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  static Napi::Object New(Napi::Env env, std::shared_ptr<Model> model);

  explicit ModelWrap(const Napi::CallbackInfo& info);
  ModelWrap(const ModelWrap&) = delete;
  ModelWrap& operator=(const ModelWrap&) = delete;
  /// Garbage collection of a model that nobody unloaded; does not wait either.
  ~ModelWrap() override;

  /// Throws kUnavailable once unloaded.
  const std::shared_ptr<Model>& Loaded() const;

 private:
  Napi::Value Inputs(const Napi::CallbackInfo& info);
  Napi::Value Outputs(const Napi::CallbackInfo& info);
  Napi::Value MappedBytes(const Napi::CallbackInfo& info);
  void Submit(const Napi::CallbackInfo& info);
  void Cancel(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Memory(const Napi::CallbackInfo& info);
  void Prepack(const Napi::CallbackInfo& info);
  void Unload(const Napi::CallbackInfo& info);

  std::shared_ptr<Model> model_;
  std::shared_ptr<RuntimeCore> core_;
};

}  // namespace warmswap
