#include "core/capture_gate.h"

namespace warmswap {

std::shared_mutex& CaptureGate() noexcept {
  static std::shared_mutex gate;
  return gate;
}

}  // namespace warmswap
