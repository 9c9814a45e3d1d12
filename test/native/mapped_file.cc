#include "core/mapped_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {
namespace {

std::string Text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

bool IsMapped(const std::byte* address) {
  const auto start = reinterpret_cast<std::uintptr_t>(address) / PageSize() * PageSize();
  unsigned char resident = 0;
  return mincore(reinterpret_cast<void*>(start), 1, &resident) == 0;
}

/// Asks the kernel to forget its cached pages of a file; it need not obey.
void DropFromCache(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  fsync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

}  // namespace

TEST_CASE("a mapped file shows the file's bytes") {
  const TempDir dir;
  std::string contents(3 * PageSize() + 17, '\0');
  for (std::size_t i = 0; i < contents.size(); ++i) contents[i] = static_cast<char>(i * 31);
  WriteFile(dir / "file", contents);
  for (const auto advice : {MappedFile::Advice::kNone, MappedFile::Advice::kWillNeed}) {
    CHECK(Text(MappedFile::Open(dir / "file", advice)) == contents);
  }
}

TEST_CASE("a mapping is read-only and shared: it shows what is written into the file later") {
  const TempDir dir;
  WriteFile(dir / "file", "before");
  const MappedFile file = MappedFile::Open(dir / "file");
  const auto mappings = MappingsBelow(dir.path());
  REQUIRE(mappings.size() == 1);
  CHECK(mappings[0].path == dir / "file");
  CHECK(mappings[0].permissions == "r--s");
  const int fd = open((dir / "file").c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(pwrite(fd, "after!", 6, 0) == 6);
  close(fd);
  CHECK(Text(file) == "after!");
}

TEST_CASE("a mapping outlives the file's name") {
  const TempDir dir;
  WriteFile(dir / "file", "weights");
  const MappedFile file = MappedFile::Open(dir / "file");
  std::filesystem::remove(dir / "file");
  file.Populate();
  CHECK(Text(file) == "weights");
}

TEST_CASE("an empty file maps to an empty span") {
  const TempDir dir;
  WriteFile(dir / "empty", "");
  const MappedFile file = MappedFile::Open(dir / "empty", MappedFile::Advice::kWillNeed);
  CHECK(file.bytes().empty());
  CHECK(file.ResidentBytes() == 0);
  CHECK_NOTHROW(file.Populate());
}

TEST_CASE("a missing file is NOT_FOUND, with its path") {
  const TempDir dir;
  const Error error = ErrorOf([&] { MappedFile::Open(dir / "missing"); });
  CHECK(CodeName(error) == "NOT_FOUND");
  CHECK(Contains(error.what(), (dir / "missing").string()));
}

TEST_CASE("a directory is FAILED_PRECONDITION, with its path") {
  const TempDir dir;
  const Error error = ErrorOf([&] { MappedFile::Open(dir.path()); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Message(error) == dir.path().string() + " is not a regular file");
}

TEST_CASE("a pipe that nobody writes is refused at once") {
  const TempDir dir;
  REQUIRE(mkfifo((dir / "pipe").c_str(), 0600) == 0);
  Event answered;
  std::string code;
  std::thread opener([&] {
    code = CodeName(ErrorOf([&] { MappedFile::Open(dir / "pipe"); }));
    answered.Set();
  });
  const bool at_once = answered.Wait();
  // Lets an opener that does wait go on.
  if (!at_once) close(open((dir / "pipe").c_str(), O_RDWR | O_CLOEXEC));
  opener.join();
  CHECK(at_once);
  CHECK(code == "FAILED_PRECONDITION");
}

TEST_CASE("moving hands the mapping over and unmaps what was there") {
  const TempDir dir;
  WriteFile(dir / "one", "one");
  WriteFile(dir / "two", "two");
  const std::byte* address_of_two = nullptr;
  {
    MappedFile one = MappedFile::Open(dir / "one");
    const std::byte* const address_of_one = one.bytes().data();
    MappedFile moved(std::move(one));
    CHECK(one.bytes().empty());  // NOLINT(bugprone-use-after-move)
    CHECK(moved.bytes().data() == address_of_one);
    CHECK(Text(moved) == "one");
    {
      MappedFile two = MappedFile::Open(dir / "two");
      address_of_two = two.bytes().data();
      moved = std::move(two);
    }
    CHECK(Text(moved) == "two");
    CHECK_FALSE(IsMapped(address_of_one));
    CHECK(IsMapped(address_of_two));
  }
  CHECK_FALSE(IsMapped(address_of_two));
}

TEST_CASE("opening keeps no file descriptor") {
  const TempDir dir;
  WriteFile(dir / "file", "x");
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = descriptors();
  const MappedFile file = MappedFile::Open(dir / "file");
  CHECK(ErrorOf([&] { MappedFile::Open(dir.path()); }).code() == ErrorCode::kFailedPrecondition);
  CHECK(descriptors() == before);
}

TEST_CASE("all of a populated file is resident and mapped in, and never more than the file") {
  const TempDir dir;
  WriteFile(dir / "file", std::string(kMegabyte + 5, 'w'));
  DropFromCache(dir / "file");
  const MappedFile file = MappedFile::Open(dir / "file");
  CHECK(file.ResidentBytes() <= kMegabyte + 5);
  CHECK(MappingsBelow(dir.path()).at(0).mapped_in_bytes == 0);
  file.Populate();
  if (!KernelPopulates()) return;
  CHECK(file.ResidentBytes() == kMegabyte + 5);
  CHECK(MappingsBelow(dir.path()).at(0).mapped_in_bytes == kMegabyte + PageSize());
}

TEST_CASE("the pages of a file that was dropped from the cache are not resident") {
  const TempDir dir;
  WriteFile(dir / "file", "");
  std::filesystem::resize_file(dir / "file", 64 * kMegabyte);  // a hole: nothing to cache yet
  const MappedFile file = MappedFile::Open(dir / "file");
  CHECK(file.ResidentBytes() == 0);
  CHECK(file.bytes()[kMegabyte] == std::byte{0});
  CHECK(file.ResidentBytes() >= PageSize());
}

TEST_CASE("populating a file that became shorter throws FAILED_PRECONDITION, no SIGBUS") {
  if (!KernelPopulates()) return;
  const TempDir dir;
  WriteFile(dir / "file", std::string(kMegabyte, 'w'));
  const MappedFile file = MappedFile::Open(dir / "file");
  std::filesystem::resize_file(dir / "file", kMegabyte / 2);
  const Error error = ErrorOf([&] { file.Populate(); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), "truncated"));
}

TEST_CASE("a part of a file is populated by whole pages, what is far from it is left alone") {
  if (!KernelPopulates()) return;
  const TempDir dir;
  const std::size_t size = 4096 * PageSize();  // far more than a huge page
  WriteFile(dir / "file", std::string(size, 'x'));
  const MappedFile file = MappedFile::Open(dir / "file");
  const auto mapped_in = [&] { return MappingsBelow(dir.path()).at(0).mapped_in_bytes; };
  file.Populate(size, 0);
  CHECK(mapped_in() == 0);
  file.Populate(100 * PageSize() - 1, 100 * PageSize() + 2);
  CHECK(mapped_in() >= 102 * PageSize());
  CHECK(mapped_in() < size);
}

TEST_CASE("populating what is not in the mapping is FAILED_PRECONDITION, with the numbers") {
  const TempDir dir;
  WriteFile(dir / "file", "12345");
  const MappedFile file = MappedFile::Open(dir / "file");
  for (const auto& [offset, length] : {std::pair{0, 6}, std::pair{6, 0}, std::pair{5, 1}}) {
    const auto populate = [&] {
      file.Populate(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    };
    const Error error = ErrorOf(populate);
    CHECK(CodeName(error) == "FAILED_PRECONDITION");
    CHECK(Contains(error.what(), "5 bytes"));
  }
}

}  // namespace warmswap::test
