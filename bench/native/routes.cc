#include "routes.h"

#include <string>

namespace warmswap::bench {

Route RouteTo(const ModelName& name, std::int64_t version, const std::shared_ptr<Model>& model) {
  std::vector<const TensorSpec*> outputs;
  for (const TensorSpec& spec : model->outputs()) outputs.push_back(&spec);
  Route route;
  route.model = name.folder;
  route.served_version = version;
  route.target = model;
  route.format = std::make_shared<const AnswerFormat>(route.model, version, outputs);
  return route;
}

std::vector<Route> RoutesTo(const ModelName& name, std::int64_t version,
                            const std::shared_ptr<Model>& model, std::size_t count) {
  std::vector<Route> routes;
  routes.reserve(count + 1);
  routes.push_back(RouteTo(name, version, model));
  for (std::size_t i = 0; i < count; ++i) {
    routes.push_back(routes.front());
    routes.back().model = "other-model-" + std::to_string(i);
  }
  return routes;
}

}  // namespace warmswap::bench
