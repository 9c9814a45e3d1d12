#include "addon/errors.h"

#include <string>

namespace warmswap {

Napi::Error ToJsError(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Value().Set("code", Napi::String::New(env, std::string(ToString(error.code()))));
  return js;
}

}  // namespace warmswap
