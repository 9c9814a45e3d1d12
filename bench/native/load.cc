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

void Load(benchmark::State& state, Models& models, const ModelName& name, LoadRoute route) {
  const auto load = [&] { return models.Load(name, route, Execution::kThreaded, [](auto) {}); };
  load();  // into the page cache
  const AllocationReport report(state);
  for (auto _ : state) {
    std::shared_ptr<Model> model;
    Measure(state, [&] { model = load(); });
  }
}

}  // namespace

void RegisterLoad(Models& models) {
  for (const ModelName& name : {kMid, kWide}) {
    for (const LoadRoute route : models.routes()) {
      const std::string title = CaseName("load", models, name) + "/" + NameOf(route);
      benchmark::RegisterBenchmark(
          title.c_str(),
          [&models, name, route](benchmark::State& state) { Load(state, models, name, route); })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace warmswap::bench
