// Load generator of the benchmarks: see kUsage. Prints one JSON object a line for each phase.
#include <exception>
#include <iostream>

#include "generator.h"

int main(int argc, char** argv) {
  try {
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
