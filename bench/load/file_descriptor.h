#pragma once

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace load {

[[noreturn]] inline void ThrowErrno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  /// Throws if the call that made `fd` failed.
  FileDescriptor(int fd, const char* what) : fd_(fd) {
    if (fd < 0) ThrowErrno(what);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { Close(); }

  int get() const noexcept { return fd_; }

  void Close() noexcept {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace load
