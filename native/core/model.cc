#include "core/model.h"

#include <utility>

#include "core/external_data.h"

namespace warmswap {
namespace {

// Populated before ONNX Runtime reads them, so that no request meets a page that is still on disk.
std::vector<MappedFile> MapVersion(const ModelOptions& options) {
  const ModelFiles files = CheckExternalData(options.model_path);
  std::vector<MappedFile> mapped;
  mapped.push_back(MappedFile::Open(options.model_path, MappedFile::Advice::kWillNeed));
  mapped.front().Populate();
  for (const ExternalFile& file : files.external) {
    mapped.push_back(MappedFile::Open(file.path, MappedFile::Advice::kWillNeed));
    for (const DataBlob& used : file.used) mapped.back().Populate(used.offset, used.length);
  }
  options.on_mapped();
  return mapped;
}

}  // namespace

Model::Model(const OrtLibrary& library, const ModelOptions& options,
             std::function<void(Completion)> on_complete)
    : files_(MapVersion(options)),
      session_(library, options.model_path, options.session),
      runner_(session_, options.runner, std::move(on_complete)) {}

ModelMemory Model::Memory() const {
  ModelMemory memory;
  for (const MappedFile& file : files_) {
    memory.mapped_bytes += file.bytes().size();
    memory.resident_bytes += file.ResidentBytes();
  }
  return memory;
}

}  // namespace warmswap
