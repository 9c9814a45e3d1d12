#include "core/model.h"

#include <utility>

#include "core/batch.h"
#include "core/model_probe.h"

namespace warmswap {
namespace {

// Populated before ONNX Runtime reads them, so that no request meets a page that is still on disk.
VersionFiles Map(const ModelOptions& options) {
  const LoadCancellation& cancellation = *options.session.cancellation;
  cancellation.ThrowIfCancelled(options.model_path.string());
  VersionFiles files(options.model_path);
  const std::uint64_t reserve = options.reserve_bytes;
  RequireHostBytes(reserve > 0 ? reserve : EstimateLoadBytes(files.contents()));
  // Without prepacking it reads other parts, once, before the packed ones take their place: to map
  // them here would keep them for good.
  if (options.session.prepacking) files.Populate([&] { return cancellation.is_cancelled(); });
  cancellation.ThrowIfCancelled(options.model_path.string());
  options.on_mapped();
  return files;
}

std::shared_ptr<Session> LoadSession(const OrtLibrary& library, const ModelOptions& options) {
  auto session = std::make_shared<Session>(library, options.model_path, options.session);
  if (options.runner.max_batch > 1) RequireBatchable(session->inputs(), session->outputs());
  return session;
}

/// Of the memory that loading took, this is what the session keeps.
std::uint64_t GrowthSince(std::uint64_t anonymous_before, const OrtLibrary& library) {
  library.ReleaseUnusedMemory();
  const std::uint64_t now = AnonymousBytes();
  return now > anonymous_before ? now - anonymous_before : 0;
}

/// How long a model with loops takes depends on values, which no size tells.
Execution ExecutionOf(const ModelOptions& options, const ModelFiles& files) {
  const bool is_auto = options.execution == Execution::kAuto;
  return is_auto && files.has_loops ? Execution::kThreaded : options.execution;
}

}  // namespace

Model::Model(const OrtLibrary& library, const ModelOptions& options, Runner::OnComplete on_complete)
    : at_end_{library},
      options_(options),
      files_(Map(options)),
      first_session_(LoadSession(library, options)),
      inputs_(first_session_->inputs()),
      outputs_(first_session_->outputs()),
      private_bytes_(GrowthSince(anonymous_before_, library)),
      executor_(std::move(first_session_), ExecutionOf(options, files_.contents()),
                library.blocks()),
      inline_runner_(executor_, options.runner.max_batch),
      runner_(executor_, options.runner, std::move(on_complete)) {}

void Model::Stop() {
  CancelPrepacking();
  runner_.Stop();
}

// Warmed by generated inputs, as far as it takes them, so that no request meets a first run.
void Model::Prepack() {
  const OrtLibrary& library = at_end_.library;
  ModelOptions options = options_;
  options.session.prepacking = true;
  options.session.cancellation = prepacking_;
  prepacking_->ThrowIfCancelled(options.model_path.string());
  files_.Populate([this] { return prepacking_->is_cancelled(); });
  std::shared_ptr<Session> session = LoadSession(library, options);
  Probe(*session);
  executor_.Replace(std::move(session));
  library.ReleaseUnusedMemory();
}

void Model::Submit(Request request) {
  try {
    runner_.Submit(std::move(request));
    runner_.Wake();
  } catch (const Error& error) {
    executor_.CountRefused(error.code());
    throw;
  }
}

bool Model::TrySubmit(Request request) {
  try {
    runner_.Submit(std::move(request));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace warmswap
