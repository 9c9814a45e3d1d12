#pragma once

#include <filesystem>
#include <memory>

#include "gpu/cuda_driver.h"
#include "standin/fake_cuda_driver.h"

namespace warmswap::test {

/// The stand-in for NVIDIA's driver, with its defaults for as long as this object lives. At its end
/// nothing may be left of what was taken since its beginning. One at a time.
class CudaStandin {
 public:
  CudaStandin();
  CudaStandin(const CudaStandin&) = delete;
  CudaStandin& operator=(const CudaStandin&) = delete;
  ~CudaStandin();

  static std::filesystem::path path();

  void Set(const StandinSettings& settings) const { set_(settings); }
  StandinCounts counts() const { return count_(); }
  /// Whether as much is alive as when this object was made.
  bool is_clean() const;

  std::shared_ptr<const CudaDriver> Open() const {
    return std::make_shared<const CudaDriver>(path());
  }

 private:
  StandinReset reset_;
  StandinSet set_;
  StandinCount count_;
  StandinCounts before_;
};

/// What CUDA calls a failed kernel, for failures that a test asks for.
inline constexpr int kLaunchFailed = 719;

}  // namespace warmswap::test
