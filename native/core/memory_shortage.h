#pragma once

#include "core/error.h"

namespace warmswap {

/// The kResourceExhausted of a load for which there is too little memory, with both numbers and
/// their difference.
Error TooLittleMemory(const MemoryShortage& shortage);

}  // namespace warmswap
