#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/file_io.h"
#include "support.h"

namespace warmswap::test {
namespace {

/// What the library has in the place of the C library's.
template <typename Function>
Function* Find(const char* name) {
  void* const library = dlopen(SHORT_IO, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  REQUIRE(library != nullptr);
  const auto function = reinterpret_cast<Function*>(dlsym(library, name));
  REQUIRE(function != nullptr);
  return function;
}

/// An open file; of a test that fails it stays open.
int Open(const std::filesystem::path& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  REQUIRE(fd >= 0);
  return fd;
}

/// So that each piece is another one.
std::string Text(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i / 1000 + i) % 23);
  return text;
}

/// How many system calls this process has made to `kind` ("syscr", "syscw"); 0 if that is not
/// counted.
std::uint64_t CallsTo(const std::string& kind) {
  std::ifstream io("/proc/self/io");
  for (std::string name; io >> name;) {
    std::uint64_t count = 0;
    io >> count;
    if (name == kind + ":") return count;
  }
  return 0;
}

constexpr std::size_t kSize = 20 * kPieceBytes + 17;

}  // namespace

TEST_CASE("short_io writes a file whole, a piece at a time") {
  const TempDir dir;
  const std::string text = Text(kSize);
  const int fd = Open(dir / "file", O_WRONLY | O_CREAT);
  const std::uint64_t before = CallsTo("syscw");
  CHECK(Find<decltype(write)>("write")(fd, text.data(), text.size()) == ssize_t{kSize});
  if (before > 0) CHECK(CallsTo("syscw") >= before + 21);
  close(fd);
  CHECK(ReadFile(dir / "file") == text);
}

TEST_CASE("short_io writes the parts of a file in their order") {
  const TempDir dir;
  std::string text = Text(kSize);
  const std::array<iovec, 4> parts{{{text.data(), 3},
                                    {text.data() + 3, 0},
                                    {text.data() + 3, 5 * kPieceBytes},
                                    {text.data() + 3 + 5 * kPieceBytes, kPieceBytes + 1}}};
  const int fd = Open(dir / "file", O_WRONLY | O_CREAT);
  const auto writev = Find<decltype(::writev)>("writev");
  const std::uint64_t before = CallsTo("syscw");
  CHECK(writev(fd, parts.data(), 4) == ssize_t{6 * kPieceBytes + 4});
  if (before > 0) CHECK(CallsTo("syscw") >= before + 8);
  CHECK(writev(fd, parts.data(), 1) == 3);
  const std::vector<iovec> too_many(IOV_MAX + 1, iovec{text.data(), 100});
  CHECK(writev(fd, too_many.data(), IOV_MAX + 1) == -1);
  CHECK(errno == EINVAL);
  const std::array<iovec, 2> too_long{{{text.data(), kSize}, {text.data(), SIZE_MAX}}};
  CHECK(writev(fd, too_long.data(), 2) == -1);
  CHECK(errno == EINVAL);
  CHECK(writev(fd, parts.data(), -1) == -1);
  CHECK(errno == EINVAL);
  close(fd);
  CHECK(ReadFile(dir / "file") == text.substr(0, 6 * kPieceBytes + 4) + text.substr(0, 3));
}

TEST_CASE("short_io reads a file up to its end, a piece at a time") {
  const TempDir dir;
  const std::string text = Text(kSize);
  WriteFile(dir / "file", text);
  const int fd = Open(dir / "file", O_RDONLY);
  std::string all(kSize + 100, '\0');
  const std::uint64_t before = CallsTo("syscr");
  CHECK(Find<decltype(read)>("read")(fd, all.data(), all.size()) == ssize_t{kSize});
  if (before > 0) CHECK(CallsTo("syscr") >= before + 21);
  CHECK(all.substr(0, kSize) == text);
  for (const char* name : {"pread", "pread64"}) {
    std::string part(kSize, '\0');
    const auto pread = Find<decltype(::pread)>(name);
    CHECK(pread(fd, part.data(), part.size(), 1000) == ssize_t{kSize - 1000});
    CHECK(part.substr(0, kSize - 1000) == text.substr(1000));
    CHECK(pread(fd, part.data(), part.size(), kSize) == 0);
  }
  close(fd);
}

TEST_CASE("short_io tells why nothing was moved, and how much was") {
  const TempDir dir;
  const std::string text = Text(kSize);
  std::string read_into(kSize, '\0');
  const auto write = Find<decltype(::write)>("write");
  errno = 0;
  CHECK(write(-1, text.data(), text.size()) == -1);
  CHECK(errno == EBADF);
  const int read_only = Open(dir / "file", O_RDONLY | O_CREAT);
  errno = 0;
  CHECK(write(read_only, text.data(), text.size()) == -1);
  CHECK(errno == EBADF);
  CHECK(Find<decltype(::read)>("read")(read_only, read_into.data(), kSize) == 0);
  close(read_only);
  // The second of two pieces cannot be read from.
  void* const pieces =
      mmap(nullptr, 2 * kPieceBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(pieces != MAP_FAILED);
  REQUIRE(mprotect(static_cast<std::byte*>(pieces) + kPieceBytes, kPieceBytes, PROT_NONE) == 0);
  const int fd = Open(dir / "file", O_WRONLY);
  CHECK(write(fd, pieces, 2 * kPieceBytes) == ssize_t{kPieceBytes});
  close(fd);
  munmap(pieces, 2 * kPieceBytes);
}

TEST_CASE("short_io leaves pipes as they are: a read gives what there is") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const std::string text = Text(kPieceBytes);
  const auto capacity = static_cast<std::size_t>(fcntl(ends[1], F_GETPIPE_SZ));
  const std::size_t size = std::min(capacity, text.size());
  CHECK(Find<decltype(write)>("write")(ends[1], text.data(), size) == static_cast<ssize_t>(size));
  std::string bytes(2 * kPieceBytes, '\0');
  CHECK(Find<decltype(read)>("read")(ends[0], bytes.data(), bytes.size()) ==
        static_cast<ssize_t>(size));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace warmswap::test
