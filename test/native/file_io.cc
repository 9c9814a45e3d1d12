#include "core/file_io.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "core/error.h"
#include "onnx_builder.h"
#include "support.h"

namespace warmswap::test {
namespace {

/// Bytes that the file takes on the disk.
std::size_t DiskBytes(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return static_cast<std::size_t>(status.st_blocks) * 512;
}

}  // namespace

TEST_CASE("bytes are written and read at any offset") {
  const TempDir dir;
  File file = File::Create(dir / "file");
  file.Resize(10);
  file.WriteAt(4, MessageBytes("abc"));
  file.SyncToDisk();
  CHECK(ReadFile(dir / "file") == std::string("\0\0\0\0abc\0\0\0", 10));
  std::array<std::byte, 2> bytes{};
  file.ReadAt(5, bytes);
  CHECK(bytes == std::array{std::byte{'b'}, std::byte{'c'}});
}

TEST_CASE("reading over the end is FAILED_PRECONDITION, with path and offset") {
  const TempDir dir;
  WriteFile(dir / "file", "abc");
  const File file = File::OpenForReading(dir / "file");
  std::array<std::byte, 4> bytes{};
  const Error error = ErrorOf([&] { file.ReadAt(1, bytes); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), (dir / "file").string() + " ends at byte 3"));
}

TEST_CASE("a file is made only where there is none") {
  const TempDir dir;
  WriteNewFile(dir / "file", MessageBytes("first"));
  const Error error = ErrorOf([&] { WriteNewFile(dir / "file", MessageBytes("second")); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(ReadFile(dir / "file") == "first");
  CHECK(CodeName(ErrorOf([&] { File::OpenForReading(dir / "none"); })) == "FAILED_PRECONDITION");
}

TEST_CASE("what is discarded reads as zeros and takes no place") {
  const TempDir dir;
  constexpr std::size_t kBytes = std::size_t{1} << 20U;
  WriteFile(dir / "file", std::string(kBytes, 'x'));
  File file = File::OpenForUpdate(dir / "file");
  file.SyncToDisk();
  const std::size_t before = DiskBytes(dir / "file");
  file.Discard(0, kBytes / 2);
  if (DiskBytes(dir / "file") == before) return;  // a file system without holes
  CHECK(DiskBytes(dir / "file") <= before - kBytes / 4);
  CHECK(ReadFile(dir / "file") == std::string(kBytes / 2, '\0') + std::string(kBytes / 2, 'x'));
}

TEST_CASE("a moved file is open once, and a folder can be synced") {
  const TempDir dir;
  File first = File::Create(dir / "first");
  File second = std::move(first);
  first = File::Create(dir / "other");
  second.WriteAt(0, MessageBytes("x"));
  CHECK(ReadFile(dir / "first") == "x");
  File::OpenDirectory(dir.path()).SyncToDisk();
  CHECK(CodeName(ErrorOf([&] { File::OpenDirectory(dir / "first"); })) == "FAILED_PRECONDITION");
}

TEST_CASE("a full disk is RESOURCE_EXHAUSTED") {
  if (!std::filesystem::exists("/dev/full")) return;
  File file = File::OpenForUpdate("/dev/full");
  CHECK(CodeName(ErrorOf([&] { file.WriteAt(0, MessageBytes("x")); })) == "RESOURCE_EXHAUSTED");
}

}  // namespace warmswap::test
