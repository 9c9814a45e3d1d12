#include "core/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace warmswap {
namespace {

constexpr int kMode = 0644;

[[noreturn]] void ThrowErrno(const std::filesystem::path& path, const char* what) {
  const int number = errno;
  const bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  throw Error(is_full ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
              path.string() + ": " + what + ": " + std::generic_category().message(number));
}

}  // namespace

File::File(std::filesystem::path path, int flags)
    : path_(std::move(path)), fd_(open(path_.c_str(), flags | O_CLOEXEC, kMode)) {
  if (fd_ < 0) ThrowErrno(path_, "open");
}

File File::OpenForReading(const std::filesystem::path& path) { return {path, O_RDONLY}; }
File File::OpenForUpdate(const std::filesystem::path& path) { return {path, O_RDWR}; }
File File::Create(const std::filesystem::path& path) { return {path, O_RDWR | O_CREAT | O_EXCL}; }
File File::OpenDirectory(const std::filesystem::path& path) {
  return {path, O_RDONLY | O_DIRECTORY};
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) close(fd_);
}

void File::ReadAt(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowErrno(path_, "read");
    if (count == 0) {
      throw Error(ErrorCode::kFailedPrecondition, path_.string() + " ends at byte " +
                                                      std::to_string(offset) + ", expected " +
                                                      std::to_string(bytes.size()) + " more");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

void File::WriteAt(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kPieceBytes);
    const ssize_t count = pwrite(fd_, bytes.data(), size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowErrno(path_, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

void File::Resize(std::uint64_t size) {
  if (ftruncate(fd_, static_cast<off_t>(size)) != 0) ThrowErrno(path_, "resize");
}

void File::SyncToDisk() {
  if (fsync(fd_) != 0) ThrowErrno(path_, "sync");
}

void File::StartWriting(std::uint64_t offset, std::uint64_t length) noexcept {
  sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(length),
                  SYNC_FILE_RANGE_WRITE);
}

void File::Discard(std::uint64_t offset, std::uint64_t length) noexcept {
  fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
            static_cast<off_t>(length));
}

void WriteNewFile(const std::filesystem::path& path, std::span<const std::byte> contents) {
  File file = File::Create(path);
  file.WriteAt(0, contents);
  file.SyncToDisk();
}

}  // namespace warmswap
