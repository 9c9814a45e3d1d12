#include "core/model.h"

#include <algorithm>
#include <utility>

#include "core/batch.h"
#include "core/direct_load.h"
#include "core/model_probe.h"
#include "core/shared_load.h"
#include "core/validate_for_device.h"

namespace warmswap {
namespace {

const ModelOptions& Valid(const ModelOptions& options) {
  if (!options.session.is_on_processor()) ValidateForDevice(options);
  return options;
}

std::uint64_t HostBytesFor(const ModelOptions& options, const ModelFiles& files) {
  if (options.reserve_bytes > 0) return options.reserve_bytes;
  return options.session.is_on_processor() ? EstimateLoadBytes(files)
                                           : EstimateHostBytesForDevice(files);
}

// Populated before ONNX Runtime reads them, so that no request meets a page that is still on disk.
VersionFiles Map(const ModelOptions& options) {
  const LoadCancellation& cancellation = *options.session.cancellation;
  cancellation.ThrowIfCancelled(options.model_path.string());
  VersionFiles files(options.model_path);
  RequireHostBytes(HostBytesFor(options, files.contents()));
  // Without prepacking it reads other parts, once, before the packed ones take their place: to map
  // them here would keep them for good.
  // What LoadDirect reads, it reads once, and with more threads.
  const bool is_mapped = options.session.prepacking && !IsLoadedDirectly(options.session);
  if (is_mapped) files.Populate([&] { return cancellation.is_cancelled(); });
  cancellation.ThrowIfCancelled(options.model_path.string());
  options.on_mapped();
  return files;
}

/// As long as the session is being made: then its weights are no longer free.
std::unique_ptr<DeviceReservation> ReserveDevice(const ModelOptions& options,
                                                 const ModelFiles& files) {
  if (!options.session.device) return nullptr;
  const std::uint64_t all =
      options.device_reserve_bytes > 0 ? options.device_reserve_bytes : EstimateDeviceBytes(files);
  const std::uint64_t there = options.session.weights ? options.session.weights->bytes() : 0;
  return options.session.device->Reserve(all - std::min(all, there));
}

std::optional<std::uint64_t> DeviceFreeBytes(const ModelOptions& options) {
  if (!options.session.device) return std::nullopt;
  return options.session.device->FreeBytes();
}

std::optional<std::uint64_t> DeviceGrowthSince(std::optional<std::uint64_t> free_before,
                                               const ModelOptions& options) {
  if (!free_before) return std::nullopt;
  const std::uint64_t now = options.session.device->FreeBytes();
  return *free_before > now ? *free_before - now : 0;
}

std::shared_ptr<Session> MakeSession(const OrtLibrary& library, const ModelOptions& options,
                                     const ModelFiles& files) {
  const std::filesystem::path& path = options.model_path;
  const SessionOptions& session = options.session;
  if (session.weights) return LoadShared(library, path, session, files);
  if (IsLoadedDirectly(session)) return LoadDirect(library, path, session);
  return std::make_shared<Session>(library, path, session);
}

std::shared_ptr<Session> LoadSession(const OrtLibrary& library, const ModelOptions& options,
                                     const ModelFiles& files) {
  const std::unique_ptr<DeviceReservation> reserved = ReserveDevice(options, files);
  std::shared_ptr<Session> session = MakeSession(library, options, files);
  if (options.runner.max_batch > 1) RequireBatchable(session->inputs(), session->outputs());
  return session;
}

/// Of the memory that loading took, this is what the session keeps.
std::uint64_t GrowthSince(std::uint64_t anonymous_before, const OrtLibrary& library) {
  library.ReleaseUnusedMemory();
  const std::uint64_t now = AnonymousBytes();
  return now > anonymous_before ? now - anonymous_before : 0;
}

/// How long a model with loops takes depends on values, which no size tells; and one on a device
/// leaves its thread waiting.
Execution ExecutionOf(const ModelOptions& options, const ModelFiles& files) {
  const bool is_auto = options.execution == Execution::kAuto;
  const bool is_threaded = files.has_loops || !options.session.is_on_processor();
  return is_auto && is_threaded ? Execution::kThreaded : options.execution;
}

}  // namespace

Model::Model(const OrtLibrary& library, const ModelOptions& options, Runner::OnComplete on_complete)
    : at_end_{library},
      options_(Valid(options)),
      files_(Map(options)),
      device_free_before_(DeviceFreeBytes(options)),
      first_session_(LoadSession(library, options, files_.contents())),
      inputs_(first_session_->inputs()),
      outputs_(first_session_->outputs()),
      private_bytes_(GrowthSince(anonymous_before_, library)),
      device_bytes_(DeviceGrowthSince(device_free_before_, options)),
      executor_(std::move(first_session_), ExecutionOf(options, files_.contents()), blocks()),
      inline_runner_(executor_),
      runner_(executor_, options.runner, std::move(on_complete)) {
  if (runners_may_spin()) runners_wait_.emplace(PromptThread::Role::kRunner);
}

bool Model::PrefersInline(std::size_t input_bytes) noexcept {
  if (!executor_.policy().IsInline(input_bytes) || !runner_.is_idle()) return false;
  if (!runs_have_threads() || event_loop_waits_) return true;
  event_loop_waits_.emplace(PromptThread::Role::kEventLoop);
  return false;  // the thread may be prompt until its next UpdatePriority
}

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
  std::shared_ptr<Session> session = LoadSession(library, options, files_.contents());
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

std::optional<Error> Model::Refuse(std::optional<std::size_t> priority) {
  std::optional<Error> refusal = runner_.RefusalOf(priority);
  if (refusal) executor_.CountRefused(refusal->code());
  return refusal;
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
