#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace warmswap {

/// How much of a file one system call copies at most, for threads beside which others serve: until
/// it returns nobody else may have its core on many kernels, and new pages take 3 ms a megabyte.
inline constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;

/// An open file, for reading and writing at any offset. Move-only; closes itself. Every method
/// throws kFailedPrecondition with the path and the reason, kResourceExhausted where the disk is
/// full.
class File {
 public:
  static File OpenForReading(const std::filesystem::path& path);
  static File OpenForUpdate(const std::filesystem::path& path);
  /// Fails if the file exists.
  static File Create(const std::filesystem::path& path);
  /// For SyncToDisk: makes the names in it durable.
  static File OpenDirectory(const std::filesystem::path& path);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// Fills the whole of `bytes`, by one system call where the system can.
  void ReadAt(std::uint64_t offset, std::span<std::byte> bytes) const;
  /// In pieces of kPieceBytes.
  void WriteAt(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Longer than before: the new part reads as zeros and takes no place on the disk.
  void Resize(std::uint64_t size);
  void SyncToDisk();
  /// Has the system begin to write these bytes to the disk, so that SyncToDisk has less to do at
  /// once.
  void StartWriting(std::uint64_t offset, std::uint64_t length) noexcept;
  /// Gives the place of these bytes on the disk back; they read as zeros then. Does nothing where
  /// the file system cannot.
  void Discard(std::uint64_t offset, std::uint64_t length) noexcept;

 private:
  File(std::filesystem::path path, int flags);

  std::filesystem::path path_;
  int fd_;
};

/// Writes a new file. Throws as File does.
void WriteNewFile(const std::filesystem::path& path, std::span<const std::byte> contents);

}  // namespace warmswap
