// A library to be preloaded (LD_PRELOAD) into processes that move gigabytes beside others that
// serve: their system calls to read and write files move kPieceBytes each, whoever makes them.
//
// ONNX Runtime reads and writes a weight by one call. Until that returns, or lets others in by
// itself, its core does nothing else on kernels that are not preemptible: 6 ms at a time for new
// pages of a file, in which even a real-time thread waits.

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <span>

#include "core/file_io.h"

namespace {

using warmswap::kPieceBytes;

/// What the kernel moves at once, of which counts fit into an `int`; more than SSIZE_MAX it
/// refuses.
constexpr std::size_t kMostBytes = 0x7ffff000;

/// What is not a file may have less than a call asks for, and let the next one wait.
bool IsFile(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// What `move(0, size)` gives, by one call for each piece: the sum up to the first that is short;
/// -1, with errno, if there is none before one that fails.
template <typename Move>
ssize_t InPieces(int fd, std::size_t size, Move move) {
  if (size <= kPieceBytes || size > kMostBytes || !IsFile(fd)) return move(0, size);
  std::size_t done = 0;
  while (done < size) {
    const std::size_t piece = std::min(size - done, kPieceBytes);
    const long count = move(done, piece);
    if (count < 0 && done == 0) return -1;
    if (count > 0) done += static_cast<std::size_t>(count);
    if (count < static_cast<long>(piece)) break;
  }
  return static_cast<ssize_t>(done);
}

ssize_t WriteInPieces(int fd, const void* bytes, std::size_t size) {
  return InPieces(fd, size, [&](std::size_t done, std::size_t piece) {
    return syscall(SYS_write, fd, static_cast<const std::byte*>(bytes) + done, piece);
  });
}

/// Whether there is something to be split, and nothing that the kernel would refuse.
bool AreLong(const iovec* parts, int count) {
  if (count < 1 || count > IOV_MAX) return false;
  std::size_t total = 0;
  for (const iovec& part : std::span(parts, static_cast<std::size_t>(count))) {
    if (part.iov_len > kMostBytes - total) return false;
    total += part.iov_len;
  }
  return total > kPieceBytes;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

ssize_t read(int fd, void* bytes, size_t size) {
  return InPieces(fd, size, [&](std::size_t done, std::size_t piece) {
    return syscall(SYS_read, fd, static_cast<std::byte*>(bytes) + done, piece);
  });
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  return InPieces(fd, size, [&](std::size_t done, std::size_t piece) {
    return syscall(SYS_pread64, fd, static_cast<std::byte*>(bytes) + done, piece,
                   offset + static_cast<off_t>(done));
  });
}

#ifdef __GLIBC__
ssize_t pread64(int fd, void* bytes, size_t size, off64_t offset) {
  return pread(fd, bytes, size, offset);
}
#endif

ssize_t write(int fd, const void* bytes, size_t size) { return WriteInPieces(fd, bytes, size); }

ssize_t writev(int fd, const iovec* parts, int count) {
  if (!AreLong(parts, count) || !IsFile(fd)) return syscall(SYS_writev, fd, parts, count);
  std::size_t done = 0;
  for (const iovec& part : std::span(parts, static_cast<std::size_t>(count))) {
    const ssize_t written = WriteInPieces(fd, part.iov_base, part.iov_len);
    if (written < 0) return done > 0 ? static_cast<ssize_t>(done) : -1;
    done += static_cast<std::size_t>(written);
    if (static_cast<std::size_t>(written) < part.iov_len) break;
  }
  return static_cast<ssize_t>(done);
}

}  // extern "C"
#pragma GCC visibility pop
