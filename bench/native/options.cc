#include "options.h"

#include <getopt.h>

#include <array>
#include <optional>
#include <string>

namespace warmswap::bench {

const char* const kUsage =
    "usage: warmswap_native_bench --library LIBONNXRUNTIME --models FOLDER\n"
    "  [--device cpu|cuda]   all that there are if left out\n"
    "  [--allocations]       count them; times of such a run are no figures\n"
    "  [--benchmark_…]       options of Google Benchmark\n";

namespace {

DeviceKind ToDevice(const std::string& name) {
  const std::optional<DeviceKind> device = DeviceKindFromString(name);
  if (!device) throw UsageError("--device takes cpu or cuda, not '" + name + "'");
  return *device;
}

constexpr std::array kFlags{
    option{"library", required_argument, nullptr, 'l'},
    option{"models", required_argument, nullptr, 'm'},
    option{"device", required_argument, nullptr, 'd'},
    option{"allocations", no_argument, nullptr, 'a'},
    option{nullptr, 0, nullptr, 0},
};

void Apply(Options& options, int flag) {
  switch (flag) {
    case 'l':
      options.library = optarg;
      break;
    case 'm':
      options.models = optarg;
      break;
    case 'd':
      options.devices = {ToDevice(optarg)};
      break;
    case 'a':
      options.counts_allocations = true;
      break;
    default:
      throw UsageError("wrong usage");
  }
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (;;) {
    const int flag = getopt_long(argc, argv, "", kFlags.data(), nullptr);
    if (flag < 0) break;
    Apply(options, flag);
  }
  if (optind < argc) throw UsageError(std::string("unexpected ") + argv[optind]);
  if (options.library.empty()) throw UsageError("--library is missing");
  if (options.models.empty()) throw UsageError("--models is missing");
  return options;
}

}  // namespace warmswap::bench
