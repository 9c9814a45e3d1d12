#include "addon/errors.h"

#include <cstdint>
#include <string>

namespace warmswap {
namespace {

Napi::Object ToJsDetails(Napi::Env env, const MemoryShortage& shortage) {
  const auto number = [env](std::uint64_t bytes) {
    return Napi::Number::New(env, static_cast<double>(bytes));
  };
  Napi::Object details = Napi::Object::New(env);
  details.Set("neededBytes", number(shortage.needed_bytes));
  details.Set("availableBytes", number(shortage.available_bytes));
  details.Set("missingBytes", number(shortage.needed_bytes - shortage.available_bytes));
  if (!shortage.device.empty()) details.Set("device", shortage.device);
  return details;
}

}  // namespace

Napi::Error ToJsError(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.what());
  js.Value().Set("code", Napi::String::New(env, std::string(ToString(error.code()))));
  if (error.shortage()) js.Value().Set("details", ToJsDetails(env, *error.shortage()));
  return js;
}

}  // namespace warmswap
