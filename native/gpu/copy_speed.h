#pragma once

#include <cstddef>
#include <memory>

#include "gpu/primary_context.h"

namespace warmswap {

/// How fast a GPU's memory is reached from pinned memory of the host, in bytes a second: what a
/// load cannot be faster than.
struct CopySpeed {
  double to_device = 0;
  double to_host = 0;
};

/// The best of a few copies each way. Takes `bytes` of either memory meanwhile; throws what the
/// driver reports.
CopySpeed MeasureCopySpeed(const std::shared_ptr<const PrimaryContext>& context,
                           std::size_t bytes = std::size_t{256} << 20U);

}  // namespace warmswap
