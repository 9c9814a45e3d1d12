#include "core/validate_for_device.h"

#include <string>

#include "core/error.h"

namespace warmswap {
namespace {

std::string DeviceName(const SessionOptions& session) { return session.webgpu ? "webgpu" : "cuda"; }

}  // namespace

// What shares packed weights, and what answers within microseconds, is of the processor.
void ValidateForDevice(const ModelOptions& options) {
  const SessionOptions& session = options.session;
  const auto require = [&session](bool condition, const std::string& what) {
    if (!condition) throw Error(ErrorCode::kInvalidArgument, DeviceName(session) + ": " + what);
  };
  Validate(session.cuda);
  require(!session.device || !session.webgpu, "excludes cuda");
  require(!session.optimised, "an artifact that is optimised for a processor runs on that alone");
  require(session.prepacking, "only a processor runs models unpacked");
  require(options.execution != Execution::kInline, "a model on a GPU cannot run inline");
  require(!session.cuda.graphs || options.runner.threads == 1, "graphs take one runner thread");
}

}  // namespace warmswap
