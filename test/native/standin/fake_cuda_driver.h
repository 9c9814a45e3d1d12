#pragma once

#include <cstddef>

// What tests tell and ask the stand-in for NVIDIA's driver, which they open by path: look these up
// by name (test/native/cuda_standin.h does).

/// What is alive, and what has been done.
struct StandinCounts {
  long contexts = 0;
  long device_blocks = 0;
  long host_blocks = 0;
  long streams = 0;
  long opened_handles = 0;   ///< of memory of whichever process
  long pushed_contexts = 0;  ///< of all threads
  long calls = 0;            ///< of functions that can fail, since the last reset
  std::size_t device_bytes = 0;
  std::size_t host_bytes = 0;
};

struct StandinSettings {
  int gpus = 2;
  std::size_t total_bytes = std::size_t{8} << 30U;  ///< of each GPU
  std::size_t taken_by_others = std::size_t{1} << 30U;
  long failing_call = 0;  ///< the how-manieth call from now on fails; 0: none
  int failure = 0;        ///< with this result
  bool pins_nothing = false;
  bool opens_nothing = false;  ///< of other processes, nor of this one
};

extern "C" {
/// Forgets what was set and counted; what is alive stays counted.
using StandinReset = void (*)();
using StandinSet = void (*)(const StandinSettings& settings);
using StandinCount = StandinCounts (*)();
}
