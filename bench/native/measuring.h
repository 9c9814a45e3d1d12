#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <utility>

#include "core/request.h"

namespace warmswap::bench {

/// Counts only `work` as this iteration's time, and not what prepares or undoes it. For cases that
/// are registered with UseManualTime.
template <typename Work>
void Measure(benchmark::State& state, Work&& work) {
  const Clock::time_point began = Clock::now();
  std::forward<Work>(work)();
  state.SetIterationTime(std::chrono::duration<double>(Clock::now() - began).count());
}

}  // namespace warmswap::bench
