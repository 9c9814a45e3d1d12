#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "models.h"

namespace warmswap::bench {

// Each registers the benchmarks of one file; `models` must outlive the run. Those that make
// sessions are registered once for each device that they run on.

/// `weights` is a file of a few megabytes.
void RegisterMapping(const std::filesystem::path& weights);
void RegisterQueueHandOver();
void RegisterInFlight();
void RegisterLoad(Models& models);
void RegisterRun(Models& models);
void RegisterBatch(Models& models);
void RegisterExecution(Models& models);
void RegisterFlip(Models& models);
void RegisterLeases(Models& models);

/// "run/cpu/mid": how cases of a device are named.
inline std::string CaseName(std::string_view what, const Models& models, const ModelName& model) {
  return std::string(what) + "/" + std::string(ToString(models.device())) + "/" +
         std::string(model.folder);
}

}  // namespace warmswap::bench
