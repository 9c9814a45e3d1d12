#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/model.h"
#include "core/route_table.h"
#include "models.h"

namespace warmswap::bench {

/// The route of the active version to `model`.
Route RouteTo(const ModelName& name, std::int64_t version, const std::shared_ptr<Model>& model);

/// What a daemon with `count` models of other names beside this one has.
std::vector<Route> RoutesTo(const ModelName& name, std::int64_t version,
                            const std::shared_ptr<Model>& model, std::size_t count);

}  // namespace warmswap::bench
