#include "addon/routes.h"

#include <memory>

#include "addon/convert.h"
#include "addon/instance.h"
#include "addon/model_wrap.h"
#include "core/error.h"

namespace warmswap {
namespace {

std::shared_ptr<Model> ToModel(const Napi::Value& value) {
  const Instance& instance = *value.Env().GetInstanceData<Instance>();
  if (!value.IsObject() ||
      !value.As<Napi::Object>().InstanceOf(instance.model_constructor.Value())) {
    throw Error(ErrorCode::kInvalidArgument, "a route's target must be a Model");
  }
  return ModelWrap::Unwrap(value.As<Napi::Object>())->Loaded();
}

std::shared_ptr<const AnswerFormat> FormatOf(const Route& route, const Model& model) {
  std::vector<const TensorSpec*> outputs;
  for (const TensorSpec& spec : model.outputs()) {
    if (spec.type == DataType::kBytes) return nullptr;
    outputs.push_back(&spec);
  }
  return std::make_shared<const AnswerFormat>(route.model, route.served_version, outputs);
}

Route ToRoute(const Napi::Object& object) {
  Route route;
  route.model = ToText(object.Get("model"), "a route's model");
  const Napi::Value version = object.Get("version");
  if (!version.IsUndefined()) route.version = ToInteger(version, "a route's version");
  const Napi::Value label = object.Get("label");
  if (!label.IsUndefined()) route.label = ToText(label, "a route's label");
  route.served_version = ToInteger(object.Get("servedVersion"), "a route's servedVersion");
  const Napi::Value deadline = object.Get("deadlineMs");
  if (!deadline.IsUndefined()) route.deadline = ToDuration(deadline, "a route's deadlineMs");
  const std::shared_ptr<Model> model = ToModel(object.Get("target"));
  route.target = model;
  route.format = FormatOf(route, *model);
  return route;
}

}  // namespace

std::vector<Route> ToRoutes(const Napi::Value& value) {
  const Napi::Array array = ToArray(value, "routes");
  std::vector<Route> routes;
  routes.reserve(array.Length());
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(array.Env());
    const Napi::Value route = array[i];
    if (!route.IsObject()) throw Error(ErrorCode::kInvalidArgument, "a route must be an object");
    routes.push_back(ToRoute(route.As<Napi::Object>()));
  }
  return routes;
}

}  // namespace warmswap
