#pragma once

#include "core/model.h"

namespace warmswap {

/// Throws kInvalidArgument if a model with these options cannot run on a device, whichever it is:
/// options exclude each other, or are of the processor.
void ValidateForDevice(const ModelOptions& options);

}  // namespace warmswap
