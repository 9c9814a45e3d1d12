#pragma once

#include <vector>

#include "addon/napi.h"
#include "core/route_table.h"

namespace warmswap {

/// `[{ model, version?, label?, servedVersion, target: Model, deadlineMs? }]`. Throws
/// kInvalidArgument for anything else, kUnavailable for a model that is unloaded.
std::vector<Route> ToRoutes(const Napi::Value& value);

}  // namespace warmswap
