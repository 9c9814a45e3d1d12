#pragma once

#include <memory>

#include "addon/napi.h"
#include "addon/runtime_core.h"

namespace warmswap {

/// JavaScript's `Runtime` (src/native/binding.ts). One an environment.
class Runtime : public Napi::ObjectWrap<Runtime> {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit Runtime(const Napi::CallbackInfo& info);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime() override;

 private:
  void Load(const Napi::CallbackInfo& info);
  void CancelLoad(const Napi::CallbackInfo& info);
  void Pack(const Napi::CallbackInfo& info);
  void Gpus(const Napi::CallbackInfo& info);
  void MeasureCopies(const Napi::CallbackInfo& info);
  void ShareWeights(const Napi::CallbackInfo& info);
  void FreeWeights(const Napi::CallbackInfo& info);
  void SetRoutes(const Napi::CallbackInfo& info);
  Napi::Value EndTurn(const Napi::CallbackInfo& info);
  Napi::Value Expire(const Napi::CallbackInfo& info);
  void UpdatePriority(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  Napi::Value Version(const Napi::CallbackInfo& info);
  Napi::Value BuildInfo(const Napi::CallbackInfo& info);
  Napi::Value Providers(const Napi::CallbackInfo& info);

  std::shared_ptr<RuntimeCore> core_;
};

}  // namespace warmswap
