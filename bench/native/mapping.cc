#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>

#include "cases.h"
#include "core/file_io.h"
#include "core/mapped_file.h"
#include "measuring.h"

// What it takes until the pages of a weights file can be read without a fault.

namespace warmswap::bench {
namespace {

constexpr std::size_t kPage = 4096;

/// One byte of each page.
std::uint64_t Touch(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPage) sum += static_cast<unsigned>(bytes[at]);
  return sum;
}

/// So that the next reader has to wait for the disk. Needs clean pages: see RegisterMapping.
void DropFromPageCache(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot open " + path.string());
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

void SetBytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void Open(benchmark::State& state, const std::filesystem::path& path) {
  for (auto _ : state) {
    std::optional<MappedFile> file;
    Measure(state, [&] { file = MappedFile::Open(path); });
  }
}

void FirstTouch(benchmark::State& state, const std::filesystem::path& path) {
  MappedFile::Open(path).Populate();
  for (auto _ : state) {
    const MappedFile file = MappedFile::Open(path);
    Measure(state, [&] { benchmark::DoNotOptimize(Touch(file.bytes())); });
  }
  SetBytes(state, std::filesystem::file_size(path));
}

void Populate(benchmark::State& state, const std::filesystem::path& path, bool from_disk) {
  MappedFile::Open(path).Populate();
  for (auto _ : state) {
    if (from_disk) DropFromPageCache(path);
    const MappedFile file = MappedFile::Open(path);
    Measure(state, [&] { file.Populate(); });
  }
  SetBytes(state, std::filesystem::file_size(path));
}

void TouchAfterPopulate(benchmark::State& state, const std::filesystem::path& path) {
  const MappedFile file = MappedFile::Open(path);
  file.Populate();
  for (auto _ : state) {
    Measure(state, [&] { benchmark::DoNotOptimize(Touch(file.bytes())); });
  }
  SetBytes(state, file.bytes().size());
}

void Unmap(benchmark::State& state, const std::filesystem::path& path) {
  for (auto _ : state) {
    std::optional<MappedFile> file(MappedFile::Open(path));
    file->Populate();
    Measure(state, [&] { file.reset(); });
  }
  SetBytes(state, std::filesystem::file_size(path));
}

}  // namespace

void RegisterMapping(const std::filesystem::path& path) {
  File::OpenForUpdate(path).SyncToDisk();
  const auto add = [&](const char* name, auto body) {
    benchmark::RegisterBenchmark(name, body)->UseManualTime()->Unit(benchmark::kMicrosecond);
  };
  add("map/open", [=](benchmark::State& state) { Open(state, path); });
  add("map/first_touch", [=](benchmark::State& state) { FirstTouch(state, path); });
  add("map/populate", [=](benchmark::State& state) { Populate(state, path, false); });
  add("map/populate_from_disk", [=](benchmark::State& state) { Populate(state, path, true); });
  add("map/touch_populated", [=](benchmark::State& state) { TouchAfterPopulate(state, path); });
  add("map/unmap", [=](benchmark::State& state) { Unmap(state, path); });
}

}  // namespace warmswap::bench
