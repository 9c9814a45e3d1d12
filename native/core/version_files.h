#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <vector>

#include "core/external_data.h"
#include "core/mapped_file.h"

namespace warmswap {

struct MappedMemory {
  std::size_t mapped_bytes = 0;    ///< size of the model's files, which are mapped as a whole
  std::size_t resident_bytes = 0;  ///< how much of that is in the page cache now
};

/// The files of a model, mapped for as long as this object lives.
class VersionFiles {
 public:
  /// Checks what the model refers to and maps it; throws as CheckExternalData and MappedFile::Open.
  explicit VersionFiles(const std::filesystem::path& model_path);

  /// What the model consists of.
  const ModelFiles& contents() const noexcept { return contents_; }

  std::size_t mapped_bytes() const noexcept;

  /// Reads in and maps what a session reads of the files while it runs; see MappedFile::Populate.
  /// Returns early once `is_stopped`, which it asks for every chunk, so soon if nothing has to come
  /// from the disk.
  void Populate(const std::function<bool()>& is_stopped) const;

  /// Asks the kernel page by page: milliseconds for gigabytes.
  MappedMemory Memory() const;

 private:
  struct File {
    MappedFile mapped;
    std::vector<DataBlob> used;
  };

  ModelFiles contents_;
  std::vector<File> files_;
};

}  // namespace warmswap
