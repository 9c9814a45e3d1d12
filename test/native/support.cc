#include "support.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace warmswap::test {
namespace {

constexpr const char* kChildFile = "WARMSWAP_TEST_FILE";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    throw std::runtime_error(std::string(name) + " is not set; use run-native-tests.mjs");
  }
  return value;
}

std::chrono::nanoseconds ProcessorTime(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::chrono::nanoseconds ProcessorTimeOfOtherThreads() {
  return ProcessorTime(CLOCK_PROCESS_CPUTIME_ID) - ProcessorTime(CLOCK_THREAD_CPUTIME_ID);
}

Request MakeRequest(std::uint64_t ticket) {
  Request request;
  request.ticket = ticket;
  request.outputs = {0};
  return request;
}

}  // namespace

std::filesystem::path ModelPath(std::string_view fixture) {
  const auto path = std::filesystem::path(Variable("WARMSWAP_FIXTURES")) / fixture / "model.onnx";
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error(path.string() +
                             " is missing: npx tsx test/fixtures/generate.ts build/fixtures");
  }
  return path;
}

std::filesystem::path LibraryPath() { return Variable("WARMSWAP_ORT_LIBRARY"); }

const OrtLibrary& Library() { return OrtLibrary::Open(LibraryPath()); }

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "warmswap-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void WriteFile(const std::filesystem::path& path, std::string_view contents) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << contents;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ostringstream contents;
  contents << std::ifstream(path, std::ios::binary).rdbuf();
  return contents.str();
}

std::vector<Mapping> MappingsBelow(const std::filesystem::path& folder) {
  std::ifstream smaps("/proc/self/smaps");
  std::vector<Mapping> mappings;
  bool is_below = false;
  std::string line;
  while (std::getline(smaps, line)) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "Rss:" && is_below) {
      words >> mappings.back().mapped_in_bytes;
      mappings.back().mapped_in_bytes *= 1024;
    }
    if (first.ends_with(':')) continue;
    std::string permissions, offset, device, inode, path;
    words >> permissions >> offset >> device >> inode >> path;
    is_below = path.starts_with(folder.string() + "/");
    if (is_below) mappings.push_back({path, permissions, 0});
  }
  return mappings;
}

std::size_t PageSize() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

bool KernelPopulates() {
  void* page = mmap(nullptr, PageSize(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::runtime_error("mmap failed");
  const bool works = madvise(page, PageSize(), 22 /* MADV_POPULATE_READ */) == 0;
  munmap(page, PageSize());
  return works;
}

void Event::Set() {
  {
    const std::lock_guard lock(mutex_);
    set_ = true;
  }
  changed_.notify_all();
}

bool Event::Wait() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this] { return set_; });
}

bool WaitUntil(const std::function<bool()>& condition) {
  const auto end = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

void WaitUntilARunIsUnderWay() {
  constexpr std::chrono::milliseconds kLongerThanItsStart{20};
  const auto before = ProcessorTimeOfOtherThreads();
  REQUIRE(WaitUntil([&] { return ProcessorTimeOfOtherThreads() - before > kLongerThanItsStart; }));
}

BlockPool& TestBlocks() {
  static BlockPool blocks;
  return blocks;
}

Runner::OnComplete Completions::Callback() {
  return [this](std::vector<Completion> completions) {
    // Notified under the lock: whoever waited may destroy this object as soon as it has it.
    const std::lock_guard lock(mutex_);
    for (Completion& completion : completions) {
      outcomes_.emplace(completion.ticket, std::move(completion.outcome));
    }
    changed_.notify_all();
  };
}

bool Completions::WaitFor(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return outcomes_.size() >= count; });
}

std::size_t Completions::count() {
  const std::lock_guard lock(mutex_);
  return outcomes_.size();
}

std::size_t Completions::Times(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  return outcomes_.count(ticket);
}

std::string Completions::CodeOf(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = outcomes_.find(ticket);
  REQUIRE(found != outcomes_.end());
  const auto* error = std::get_if<Error>(&found->second);
  return error == nullptr ? "" : CodeName(*error);
}

std::string Completions::MessageOf(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = outcomes_.find(ticket);
  REQUIRE(found != outcomes_.end());
  const auto* error = std::get_if<Error>(&found->second);
  return error == nullptr ? "" : Message(*error);
}

RunResult Completions::TakeResult(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const auto found = outcomes_.find(ticket);
  REQUIRE(found != outcomes_.end());
  auto* result = std::get_if<RunResult>(&found->second);
  REQUIRE(result != nullptr);
  return std::move(*result);
}

Request ShiftRequest(std::uint64_t ticket, float x) {
  Request request = MakeRequest(ticket);
  request.inputs.push_back(MakeInput<float>(DataType::kFp32, {x, x + 1, x + 2, x + 3}, {1, 4}));
  return request;
}

Request SlowRequest(std::uint64_t ticket, std::int64_t iterations) {
  Request request = MakeRequest(ticket);
  request.inputs.push_back(MakeInput<std::int64_t>(DataType::kInt64, {iterations}, {}));
  request.inputs.push_back(MakeInput<float>(DataType::kFp32, {0.5F}, {1}));
  return request;
}

Request ShiftRows(std::uint64_t ticket, std::int64_t rows, float x) {
  return AnyWidthRows(ticket, rows, 4, x);
}

Request AnyWidthRows(std::uint64_t ticket, std::int64_t rows, std::int64_t width, float x) {
  Request request = MakeRequest(ticket);
  const std::vector<float> values(static_cast<std::size_t>(rows * width), x);
  request.inputs.push_back(MakeInput(DataType::kFp32, values, {rows, width}));
  return request;
}

Request IntegerRow(std::uint64_t ticket, std::int64_t x) {
  Request request = MakeRequest(ticket);
  request.inputs.push_back(MakeInput<std::int64_t>(DataType::kInt64, {x}, {1}));
  return request;
}

Request ReshapeRequest(std::uint64_t ticket, std::size_t count) {
  Request request = MakeRequest(ticket);
  request.inputs.push_back(MakeInput(DataType::kFp32, std::vector<float>(count, 1.0F),
                                     {static_cast<std::int64_t>(count)}));
  return request;
}

int RunInChild(const std::string& name, const std::filesystem::path& file) {
  std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string only = "--test-case=" + name;
  std::string no_skip = "--no-skip";
  std::string minimal = "--minimal";
  const std::array<char*, 5> arguments{program.data(), only.data(), no_skip.data(), minimal.data(),
                                       nullptr};
  setenv(kChildFile, file.c_str(), 1);
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ);
  unsetenv(kChildFile);
  if (failed != 0) throw std::runtime_error("cannot run " + program);
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid failed");
  return status;
}

std::filesystem::path ChildFile() { return Variable(kChildFile); }

}  // namespace warmswap::test
