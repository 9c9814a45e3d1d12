#include "core/version_files.h"

#include <algorithm>

namespace warmswap {
namespace {

// Until a chunk is there no other thread of the process can map or unmap anything: 0.2 ms when its
// pages are in memory.
constexpr std::uint64_t kChunk = std::uint64_t{1} << 20U;

}  // namespace

VersionFiles::VersionFiles(const std::filesystem::path& model_path)
    : contents_(CheckExternalData(model_path)) {
  MappedFile model = MappedFile::Open(model_path, MappedFile::Advice::kWillNeed);
  const DataBlob whole{0, model.bytes().size()};
  files_.push_back({std::move(model), {whole}});
  for (const ExternalFile& file : contents_.external) {
    files_.push_back({MappedFile::Open(file.path, MappedFile::Advice::kWillNeed), file.used});
  }
}

std::size_t VersionFiles::mapped_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const File& file : files_) bytes += file.mapped.bytes().size();
  return bytes;
}

void VersionFiles::Populate(const std::function<bool()>& is_stopped) const {
  for (const auto& [mapped, used] : files_) {
    for (const DataBlob& blob : used) {
      for (std::uint64_t done = 0; done < blob.length; done += kChunk) {
        if (is_stopped()) return;
        mapped.Populate(blob.offset + done, std::min(kChunk, blob.length - done));
      }
    }
  }
}

MappedMemory VersionFiles::Memory() const {
  MappedMemory memory{mapped_bytes(), 0};
  for (const File& file : files_) memory.resident_bytes += file.mapped.ResidentBytes();
  return memory;
}

}  // namespace warmswap
