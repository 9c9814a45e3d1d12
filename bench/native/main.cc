// Benchmarks of the core, see kUsage and bench/README.md.
#include <benchmark/benchmark.h>

#include <exception>
#include <iostream>
#include <list>
#include <string>

#include "allocations.h"
#include "cases.h"
#include "core/error.h"
#include "options.h"

namespace warmswap::bench {
namespace {

void RegisterAll(Models& models) {
  RegisterLoad(models);
  RegisterRun(models);
  RegisterBatch(models);
  RegisterExecution(models);
  RegisterFlip(models);
  RegisterLeases(models);
}

/// On the terminal, such as `cuda: skipped, …`, and in the JSON output.
void Say(DeviceKind device, const std::string& what) {
  benchmark::AddCustomContext(std::string(ToString(device)), what);
}

/// Those of the devices that sessions can be made for here.
std::list<Models> OpenModels(const OrtLibrary& library, const Options& options) {
  std::list<Models> models;
  for (const DeviceKind device : options.devices) {
    try {
      const Target target = OpenTarget(device, library);
      if (!target.description.empty()) Say(device, target.description);
      models.emplace_back(library, options.models, target);
    } catch (const Error& error) {
      Say(device, std::string("skipped, ") + error.what());
    }
  }
  return models;
}

void RunAll(const Options& options) {
  const OrtLibrary& library = OrtLibrary::Open(options.library);
  benchmark::AddCustomContext("onnxruntime", library.version());
  RegisterMapping(options.models / kWide.folder / "weights.bin");
  RegisterQueueHandOver();
  RegisterInFlight();
  std::list<Models> models = OpenModels(library, options);
  for (Models& of_device : models) RegisterAll(of_device);
  if (options.counts_allocations) CountAllocations();
  benchmark::RunSpecifiedBenchmarks();
}

}  // namespace
}  // namespace warmswap::bench

int main(int argc, char** argv) {
  try {
    benchmark::Initialize(&argc, argv);
    warmswap::bench::RunAll(warmswap::bench::ParseOptions(argc, argv));
    benchmark::Shutdown();
    return 0;
  } catch (const warmswap::bench::UsageError& error) {
    std::cerr << "warmswap_native_bench: " << error.what() << "\n" << warmswap::bench::kUsage;
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "warmswap_native_bench: " << error.what() << "\n";
    return 1;
  }
}
