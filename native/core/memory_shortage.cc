#include "core/memory_shortage.h"

#include <string>

#include "core/host_memory.h"

namespace warmswap {

Error TooLittleMemory(const MemoryShortage& shortage) {
  const auto& [needed, available, device] = shortage;
  const std::uint64_t missing = needed - available;
  const std::string memory = device.empty() ? "memory" : "the memory of " + device;
  return {ErrorCode::kResourceExhausted,
          "loading takes about " + FormatBytes(needed) + " of " + memory + ", there are " +
              FormatBytes(available) + " available: " + FormatBytes(missing) + " too little (" +
              std::to_string(needed) + ", " + std::to_string(available) + " and " +
              std::to_string(missing) + " bytes)",
          shortage};
}

}  // namespace warmswap
