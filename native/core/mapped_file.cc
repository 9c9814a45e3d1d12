#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace warmswap {
namespace {

constexpr std::size_t kUnmapBytes = std::size_t{4} << 20U;

std::string Reason(int error_number) { return std::generic_category().message(error_number); }

class FileDescriptor {
 public:
  // O_NONBLOCK, because opening a pipe would wait for its writer.
  explicit FileDescriptor(const std::filesystem::path& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::size_t RegularFileSize(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    throw Error(ErrorCode::kFailedPrecondition, path.string() + ": " + Reason(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::kFailedPrecondition, path.string() + " is not a regular file");
  }
  return static_cast<std::size_t>(status.st_size);
}

void* Address(std::span<const std::byte> bytes) noexcept {
  return const_cast<std::byte*>(bytes.data());
}

std::size_t PageSize() noexcept { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

MappedFile MappedFile::Open(const std::filesystem::path& path, Advice advice) {
  const FileDescriptor file(path);
  if (file.get() < 0) {
    const auto code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition;
    throw Error(code, path.string() + ": " + Reason(errno));
  }
  const std::size_t size = RegularFileSize(file, path);
  if (size == 0) return MappedFile({});
  void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) {
    throw Error(ErrorCode::kFailedPrecondition, path.string() + ": mmap: " + Reason(errno));
  }
  if (advice == Advice::kWillNeed) madvise(address, size, MADV_WILLNEED);
  return MappedFile({static_cast<const std::byte*>(address), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

// In pieces, because no other thread of the process can map or unmap anything meanwhile: a gigabyte
// at once takes a tenth of a second.
MappedFile::~MappedFile() {
  for (std::span<const std::byte> rest = bytes_; !rest.empty();) {
    const std::span<const std::byte> piece = rest.first(std::min(kUnmapBytes, rest.size()));
    munmap(Address(piece), piece.size());
    rest = rest.subspan(piece.size());
  }
}

void MappedFile::Populate(std::size_t offset, std::size_t length) const {
  if (offset > bytes_.size() || length > bytes_.size() - offset) {
    throw Error(ErrorCode::kFailedPrecondition,
                "a mapped file has " + std::to_string(bytes_.size()) + " bytes, too few for " +
                    std::to_string(length) + " at offset " + std::to_string(offset));
  }
  if (length == 0) return;
  const std::size_t start = offset - offset % PageSize();
  const std::span<const std::byte> pages = bytes_.subspan(start, offset + length - start);
  while (madvise(Address(pages), pages.size(), MADV_POPULATE_READ) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    if (errno == EINVAL) {
      madvise(Address(pages), pages.size(), MADV_WILLNEED);
      return;
    }
    throw Error(ErrorCode::kFailedPrecondition,
                "cannot read a mapped file (was it truncated?): " + Reason(errno));
  }
}

std::size_t MappedFile::ResidentBytes() const {
  if (bytes_.empty()) return 0;
  const std::size_t page = PageSize();
  std::vector<unsigned char> pages((bytes_.size() + page - 1) / page);
  if (mincore(Address(bytes_), bytes_.size(), pages.data()) != 0) return 0;
  const auto resident = std::ranges::count_if(pages, [](unsigned char p) { return (p & 1) != 0; });
  return std::min(static_cast<std::size_t>(resident) * page, bytes_.size());
}

}  // namespace warmswap
