#include "core/model.h"

#include <utility>

#include "core/batch.h"
#include "core/external_data.h"

namespace warmswap {
namespace {

// Populated before ONNX Runtime reads them, so that no request meets a page that is still on disk.
MappedVersion MapVersion(const ModelOptions& options) {
  const ModelFiles files = CheckExternalData(options.model_path);
  std::vector<MappedFile> mapped;
  mapped.push_back(MappedFile::Open(options.model_path, MappedFile::Advice::kWillNeed));
  mapped.front().Populate();
  for (const ExternalFile& file : files.external) {
    mapped.push_back(MappedFile::Open(file.path, MappedFile::Advice::kWillNeed));
    for (const DataBlob& used : file.used) mapped.back().Populate(used.offset, used.length);
  }
  options.on_mapped();
  return {std::move(mapped), files.has_loops};
}

/// How long a model with loops takes depends on values, which no size tells.
Execution ExecutionOf(const ModelOptions& options, const MappedVersion& version) {
  const bool is_auto = options.execution == Execution::kAuto;
  return is_auto && version.has_loops ? Execution::kThreaded : options.execution;
}

Session LoadSession(const OrtLibrary& library, const ModelOptions& options) {
  Session session(library, options.model_path, options.session);
  if (options.runner.max_batch > 1) RequireBatchable(session.inputs(), session.outputs());
  return session;
}

std::uint64_t AnonymousGrowth(std::uint64_t before) {
  const std::uint64_t now = AnonymousBytes();
  return now > before ? now - before : 0;
}

}  // namespace

Model::Model(const OrtLibrary& library, const ModelOptions& options, Runner::OnComplete on_complete)
    : buffers_(options.buffers),
      priorities_(options.runner.priorities),
      is_batched_(options.runner.max_batch > 1),
      version_(MapVersion(options)),
      session_(LoadSession(library, options)),
      private_bytes_(AnonymousGrowth(anonymous_before_)),
      executor_(session_, ExecutionOf(options, version_), options.buffers),
      inline_runner_(executor_, options.runner.max_batch),
      runner_(executor_, options.runner, std::move(on_complete)) {}

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

ModelMemory Model::Memory() const {
  ModelMemory memory{.private_bytes = private_bytes_};
  for (const MappedFile& file : version_.files) {
    memory.mapped_bytes += file.bytes().size();
    memory.resident_bytes += file.ResidentBytes();
  }
  return memory;
}

}  // namespace warmswap
