#include "gpu/primary_context.h"

#include <utility>

namespace warmswap {
namespace {

cuda::ContextHandle Retain(const CudaDriver& driver, cuda::DeviceHandle device) {
  cuda::ContextHandle context = nullptr;
  driver.Check(driver.functions().DevicePrimaryCtxRetain(&context, device),
               "cuDevicePrimaryCtxRetain");
  return context;
}

}  // namespace

PrimaryContext::PrimaryContext(std::shared_ptr<const CudaDriver> driver, int gpu)
    : driver_(std::move(driver)),
      device_(driver_->GetGpu(gpu)),
      handle_(Retain(*driver_, device_)) {}

PrimaryContext::~PrimaryContext() { driver_->functions().DevicePrimaryCtxRelease(device_); }

PrimaryContext::Scope::Scope(const PrimaryContext& context)
    : functions_(context.driver().functions()), capture_mode_(cuda::kCaptureModeRelaxed) {
  const CudaDriver& driver = context.driver();
  driver.Check(functions_.CtxPushCurrent(context.handle_), "cuCtxPushCurrent");
  const cuda::Result result = functions_.ThreadExchangeStreamCaptureMode(&capture_mode_);
  if (result == cuda::kSuccess) return;
  cuda::ContextHandle popped = nullptr;
  functions_.CtxPopCurrent(&popped);
  driver.Check(result, "cuThreadExchangeStreamCaptureMode");
}

PrimaryContext::Scope::~Scope() {
  functions_.ThreadExchangeStreamCaptureMode(&capture_mode_);
  cuda::ContextHandle popped = nullptr;
  functions_.CtxPopCurrent(&popped);
}

}  // namespace warmswap
