#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace warmswap {

/// A whole file mapped read-only and shared: its pages are the page cache's, one copy for all
/// processes. Move-only; unmaps when destroyed. Reading the bytes of a file that somebody truncates
/// raises SIGBUS, so readers touch only files that nobody writes.
class MappedFile {
 public:
  enum class Advice {
    kNone,
    kWillNeed,  ///< start reading ahead in the background (MADV_WILLNEED)
  };

  /// Throws kNotFound if there is no such file, kFailedPrecondition if it is no regular file or
  /// cannot be mapped. An empty file maps to an empty span.
  static MappedFile Open(const std::filesystem::path& path, Advice advice = Advice::kNone);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Reads every page in and maps it, so that no later reader meets a major fault. Blocks for as
  /// long as the disk takes. Never raises SIGBUS; throws kFailedPrecondition if the file has become
  /// shorter. Falls back to read-ahead on kernels before 5.14.
  void Populate() const { Populate(0, bytes_.size()); }

  /// The same for the pages of a part of the file. Throws kFailedPrecondition if that part is not
  /// in the mapping.
  void Populate(std::size_t offset, std::size_t length) const;

  /// Bytes of the mapping that are in memory now (whole pages, at most the file's size).
  std::size_t ResidentBytes() const;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace warmswap
