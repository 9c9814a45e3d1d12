#pragma once

#include <memory>

#include "gpu/cuda_driver.h"

namespace warmswap {

/// The context of a GPU that all of a process shares, ONNX Runtime included. It stays for as long
/// as somebody holds it. Thread-safe.
class PrimaryContext {
 public:
  /// Throws kFailedPrecondition for a GPU that there is not, and what the driver reports.
  PrimaryContext(std::shared_ptr<const CudaDriver> driver, int gpu);
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;
  ~PrimaryContext();

  const CudaDriver& driver() const noexcept { return *driver_; }

  /// As long as it lives the context is the calling thread's, as the driver's functions want it,
  /// and the thread may do what recordings of other threads would forbid it.
  class Scope {
   public:
    explicit Scope(const PrimaryContext& context);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    const cuda::Functions& functions_;
    int capture_mode_;
  };

 private:
  const std::shared_ptr<const CudaDriver> driver_;
  const cuda::DeviceHandle device_;
  const cuda::ContextHandle handle_;
};

}  // namespace warmswap
