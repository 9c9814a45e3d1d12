#include "core/validate_for_device.h"

#include <string>

#include "core/error.h"

namespace warmswap {
namespace {

void RequireForDevice(bool condition, const std::string& what) {
  if (!condition) throw Error(ErrorCode::kInvalidArgument, "cuda: " + what);
}

}  // namespace

// What shares packed weights, and what answers within microseconds, is of the processor.
void ValidateForDevice(const ModelOptions& options) {
  const SessionOptions& session = options.session;
  Validate(session.cuda);
  RequireForDevice(!session.optimised,
                   "an artifact that is optimised for a processor runs on that alone");
  RequireForDevice(session.prepacking, "only a processor runs models unpacked");
  RequireForDevice(options.execution != Execution::kInline, "a model on a GPU cannot run inline");
  RequireForDevice(!session.cuda.graphs || options.runner.threads == 1,
                   "graphs take one runner thread");
}

}  // namespace warmswap
