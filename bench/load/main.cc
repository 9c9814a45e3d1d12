// Load generator of the benchmarks: see kUsage. Prints one JSON object a line for each phase.
#include <exception>
#include <iostream>

#include "core/thread_priority.h"
#include "generator.h"

namespace {

constexpr int kBeforeTheServers = 3;

/// What a client waits for a core of its own host is none of the server's latency. One that sends
/// as fast as it can, or never sleeps, would leave no time to the server.
void GoBeforeOthers(const load::Options& options) {
  const bool takes_little = options.rate > 0 && !options.polls;
  if (takes_little && warmswap::MakeThisThreadRealTime(kBeforeTheServers)) return;
  warmswap::ShortenTimeSliceOfThisThread();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const load::Options options = load::ParseOptions(argc, argv);
    GoBeforeOthers(options);
    load::Generator generator(options);
    generator.Run().Print(std::cout, load::kWarmup);
    return 0;
  } catch (const load::UsageError& error) {
    std::cerr << "warmswap_load: " << error.what() << "\n" << load::kUsage;
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "warmswap_load: " << error.what() << "\n";
    return 1;
  }
}
