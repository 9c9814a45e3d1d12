#pragma once

#include <shared_mutex>

namespace warmswap {

/// While a CUDA graph is recorded, CUDA forbids every other thread of the process what may wait for
/// a device: taking and freeing memory, plain copies. Who does so holds this shared; who records
/// holds it alone. One a process, since the ban is.
std::shared_mutex& CaptureGate() noexcept;

}  // namespace warmswap
