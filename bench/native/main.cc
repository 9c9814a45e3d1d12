// Benchmarks of the core, see kUsage and bench/README.md.
#include <benchmark/benchmark.h>

#include <exception>
#include <iostream>
#include <string>

#include "allocations.h"
#include "cases.h"
#include "options.h"

namespace warmswap::bench {
namespace {

void RegisterAll(Models& models, DeviceKind device) {
  RegisterLoad(models, device);
  RegisterRun(models, device);
  RegisterBatch(models, device);
  RegisterExecution(models, device);
  RegisterFlip(models, device);
}

/// Says what is left out: on the terminal `cuda: skipped, …`, and in the JSON output.
void Skip(DeviceKind device, const std::string& reason) {
  benchmark::AddCustomContext(std::string(ToString(device)), "skipped, " + reason);
}

void RunAll(const Options& options) {
  const OrtLibrary& library = OrtLibrary::Open(options.library);
  benchmark::AddCustomContext("onnxruntime", library.version());
  Models models(library, options.models);
  RegisterMapping(models);
  RegisterQueueHandOver();
  for (const DeviceKind device : options.devices) {
    if (const auto reason = WhyUnavailable(device, library)) {
      Skip(device, *reason);
    } else {
      RegisterAll(models, device);
    }
  }
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
