// Load generator of the benchmarks: see kUsage. Prints one JSON object a line for each phase.
#include <exception>
#include <iostream>

#include "core/thread_priority.h"
#include "generator.h"

int main(int argc, char** argv) {
  try {
    // What a client waits for a core of its own host is none of the server's latency.
    warmswap::ShortenTimeSliceOfThisThread();
    load::Generator generator(load::ParseOptions(argc, argv));
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
