#include <memory>
#include <string>

#include "allocations.h"
#include "cases.h"
#include "measuring.h"

// Files in the page cache → a model that is ready to run, by each way in.

namespace warmswap::bench {
namespace {

const char* NameOf(LoadRoute route) {
  switch (route) {
    case LoadRoute::kDefault:
      return "default";
    case LoadRoute::kNoPrepacking:
      return "no_prepacking";
    case LoadRoute::kArtifact:
      return "artifact";
  }
  return "";
}

void Load(benchmark::State& state, Models& models, const ModelName& name, DeviceKind device,
          LoadRoute route) {
  const auto load = [&] {
    return models.Load(name, device, route, Execution::kThreaded, [](auto) {});
  };
  load();  // into the page cache
  const AllocationReport report(state);
  for (auto _ : state) {
    std::shared_ptr<Model> model;
    Measure(state, [&] { model = load(); });
  }
}

}  // namespace

void RegisterLoad(Models& models, DeviceKind device) {
  for (const ModelName& name : {kMid, kWide}) {
    for (const LoadRoute route :
         {LoadRoute::kDefault, LoadRoute::kNoPrepacking, LoadRoute::kArtifact}) {
      const std::string title = CaseName("load", device, name) + "/" + NameOf(route);
      benchmark::RegisterBenchmark(title.c_str(),
                                   [&models, name, device, route](benchmark::State& state) {
                                     Load(state, models, name, device, route);
                                   })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace warmswap::bench
