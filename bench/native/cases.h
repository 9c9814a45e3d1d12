#pragma once

#include <string>
#include <string_view>

#include "device_kind.h"
#include "models.h"

namespace warmswap::bench {

// Each registers the benchmarks of one file; `models` must outlive the run. Those that make
// sessions are registered once for each device.

void RegisterMapping(Models& models);
void RegisterQueueHandOver();
void RegisterLoad(Models& models, DeviceKind device);
void RegisterRun(Models& models, DeviceKind device);
void RegisterBatch(Models& models, DeviceKind device);
void RegisterExecution(Models& models, DeviceKind device);
void RegisterFlip(Models& models, DeviceKind device);

/// "run/cpu/mid": how cases of a device are named.
inline std::string CaseName(std::string_view what, DeviceKind device, const ModelName& model) {
  return std::string(what) + "/" + std::string(ToString(device)) + "/" + std::string(model.folder);
}

}  // namespace warmswap::bench
