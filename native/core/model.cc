#include "core/model.h"

#include <string>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

// More files than any exporter writes; a version folder with more is a mistake.
constexpr std::size_t kMaxFiles = 65'536;

bool HoldsRequests(const std::filesystem::path& directory) {
  return directory.filename() == "golden" || directory.filename() == "warmup";
}

std::vector<std::filesystem::path> WeightFiles(const std::filesystem::path& version_directory) {
  std::vector<std::filesystem::path> paths;
  using Iterator = std::filesystem::recursive_directory_iterator;
  for (Iterator entry(version_directory); entry != Iterator(); ++entry) {
    if (entry->is_directory() && HoldsRequests(entry->path())) entry.disable_recursion_pending();
    if (entry->is_regular_file()) paths.push_back(entry->path());
    if (paths.size() > kMaxFiles) {
      throw Error(ErrorCode::kFailedPrecondition, version_directory.string() + " holds more than " +
                                                      std::to_string(kMaxFiles) + " files");
    }
  }
  return paths;
}

// Populated before ONNX Runtime reads them, so that no request meets a page that is still on disk.
std::vector<MappedFile> MapVersion(const ModelOptions& options) {
  const std::filesystem::path& model_path = options.model_path;
  if (!std::filesystem::exists(model_path)) {
    throw Error(ErrorCode::kNotFound, "there is no " + model_path.string());
  }
  std::vector<MappedFile> files;
  for (const std::filesystem::path& path : WeightFiles(model_path.parent_path())) {
    files.push_back(MappedFile::Open(path, MappedFile::Advice::kWillNeed));
  }
  for (const MappedFile& file : files) file.Populate();
  options.on_mapped();
  return files;
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
