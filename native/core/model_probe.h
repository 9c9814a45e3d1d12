#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/session.h"
#include "core/tensor.h"

namespace warmswap {

/// A tensor that a session gave back, copied so that it outlives the session.
struct ProbeOutput {
  DataType type = DataType::kFp32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;       ///< empty for kBytes
  std::vector<std::string> strings;  ///< for kBytes
};

/// How inputs are made from a signature alone: every free dimension gets this size, floating-point
/// elements vary over -1..1 or are zero, all others are zero, false or empty.
struct ProbeInputs {
  std::int64_t free_dimension = 1;
  bool varied = true;
};

/// What a session answered to generated inputs.
struct ProbeAnswer {
  ProbeInputs inputs;
  std::vector<ProbeOutput> outputs;
};

/// The answers of `session` to a few generated inputs, as far as it takes them and answers the same
/// twice; perhaps none.
std::vector<ProbeAnswer> Probe(Session& session);

/// What `session` answers differently from `expected`, in words; nothing if it answers the same.
/// Numbers with a fraction may differ by a small part of the largest in their tensor; NaN equals
/// NaN. That part is at least `least_tolerance`.
std::optional<std::string> FindDifference(Session& session,
                                          const std::vector<ProbeAnswer>& expected,
                                          double least_tolerance = 0);

/// How long a run for these generated inputs takes at best, of a few, in seconds.
double FastestRun(Session& session, const ProbeInputs& inputs);

}  // namespace warmswap
