#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/block_pool.h"
#include "core/error.h"
#include "core/executor.h"
#include "core/ort_library.h"
#include "core/request_queue.h"
#include "core/run_result.h"
#include "core/runner.h"
#include "core/tensor.h"

namespace warmswap::test {

/// Long enough for the slowest machine under a sanitizer; only a bug ever waits for so long.
inline constexpr std::chrono::seconds kPatience{60};
inline constexpr std::size_t kMegabyte = std::size_t{1} << 20U;
inline constexpr std::size_t kGigabyte = std::size_t{1} << 30U;
/// Iterations of the fixture `slow` that nobody lives to see the end of.
inline constexpr std::int64_t kEndless = std::int64_t{1} << 50;

/// The model.onnx of a fixture such as "shift/1" (test/fixtures/README.md).
std::filesystem::path ModelPath(std::string_view fixture);
/// The libonnxruntime that the tests run with.
std::filesystem::path LibraryPath();
const OrtLibrary& Library();

/// A folder of its own under the system's temporary one; gone with this object.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void WriteFile(const std::filesystem::path& path, std::string_view contents);
std::string ReadFile(const std::filesystem::path& path);

/// One mapping of this process, from /proc/self/smaps.
struct Mapping {
  std::filesystem::path path;
  std::string permissions;      ///< such as "r--s"
  std::size_t mapped_in_bytes;  ///< what this process can touch without a fault (whole pages)
};
/// The mappings of files below `folder`.
std::vector<Mapping> MappingsBelow(const std::filesystem::path& folder);
std::size_t PageSize();
/// Whether this kernel has MADV_POPULATE_READ (Linux 5.14).
bool KernelPopulates();

/// Something that happens once.
class Event {
 public:
  void Set();
  /// False if it did not happen within kPatience.
  [[nodiscard]] bool Wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// False if `condition` did not come true within kPatience. For what nobody signals; polls.
[[nodiscard]] bool WaitUntil(const std::function<bool()>& condition);

/// Waits until an endless run that a runner has been given takes processor time of another thread.
void WaitUntilARunIsUnderWay();

/// The completions that a runner reported, by ticket. Thread-safe.
class Completions {
 public:
  /// Give this to the runner; valid as long as this object.
  Runner::OnComplete Callback();

  /// False if `count` did not arrive within kPatience.
  [[nodiscard]] bool WaitFor(std::size_t count);
  std::size_t count();
  /// How often this ticket came back.
  std::size_t Times(std::uint64_t ticket);
  /// The code ("" for a result) that this ticket came back with; fails the test if it has not.
  std::string CodeOf(std::uint64_t ticket);
  std::string MessageOf(std::uint64_t ticket);
  /// This ticket's result; fails the test if it has none.
  RunResult TakeResult(std::uint64_t ticket);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::uint64_t, std::variant<RunResult, Error>> outcomes_;
};

/// For inputs; lives as long as the process.
BlockPool& TestBlocks();

/// A runner with an executor of its own, which is woken for each request.
class TestRunner {
 public:
  TestRunner(Session& session, const RunnerOptions& options, Runner::OnComplete on_complete)
      : executor_({&session, [](Session*) {}}, Execution::kThreaded, TestBlocks()),
        runner_(executor_, options, std::move(on_complete)) {}

  void Submit(Request request) {
    runner_.Submit(std::move(request));
    runner_.Wake();
  }
  void Cancel(std::uint64_t ticket) { runner_.Cancel(ticket); }
  Clock::time_point Expire() { return runner_.Expire(); }
  void Stop() { runner_.Stop(); }
  bool is_idle() const { return runner_.is_idle(); }
  StatisticsSnapshot ReadStatistics() const { return executor_.ReadStatistics(); }

 private:
  Executor executor_;
  Runner runner_;
};

/// The Error that `body` throws; fails the test if it throws none.
template <typename Body>
Error ErrorOf(Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const Error& error) {
    return error;
  }
  FAIL("expected an Error");
  return {ErrorCode::kInternal, ""};
}

inline std::string CodeName(const Error& error) { return std::string(ToString(error.code())); }
inline std::string Message(const Error& error) { return error.what(); }
inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

template <typename T>
std::span<const std::byte> AsBytes(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

/// A tensor in memory of ONNX Runtime's.
template <typename T>
Ort::Value MakeTensor(DataType type, const std::vector<T>& values,
                      const std::vector<std::int64_t>& shape) {
  Library();
  return ToOrtValue({type, shape, AsBytes(values), {}});
}

/// The same as an input of a request.
template <typename T>
InputTensor MakeInput(DataType type, const std::vector<T>& values,
                      const std::vector<std::int64_t>& shape) {
  return CopyInput({type, shape, AsBytes(values), {}}, TestBlocks());
}

/// The shape of a tensor.
inline std::vector<std::int64_t> ShapeOf(const Ort::Value& value) {
  return value.GetTensorTypeAndShapeInfo().GetShape();
}

/// The inputs of a session that has one.
inline std::vector<Ort::Value> One(Ort::Value value) {
  std::vector<Ort::Value> values;
  values.push_back(std::move(value));
  return values;
}

/// The elements of a tensor whose datatype is T's.
template <typename T>
std::vector<T> Elements(const Ort::Value& value) {
  std::vector<T> elements(value.GetTensorTypeAndShapeInfo().GetElementCount());
  if (!elements.empty()) {
    std::memcpy(elements.data(), value.GetTensorRawData(), elements.size() * sizeof(T));
  }
  return elements;
}

/// The elements of an output whose datatype is T's.
template <typename T>
std::vector<T> Elements(const RunResult& result, std::size_t output = 0) {
  const std::span<const std::byte> data = result.Data(output);
  std::vector<T> elements(data.size() / sizeof(T));
  if (!elements.empty()) std::memcpy(elements.data(), data.data(), data.size());
  return elements;
}

/// One row for the fixture `shift`, all outputs wanted.
Request ShiftRequest(std::uint64_t ticket, float x = 0);
/// A request for the fixture `slow`, which takes about a microsecond an iteration.
Request SlowRequest(std::uint64_t ticket, std::int64_t iterations);
/// `rows` rows for the fixture `shift`, every value `x`.
Request ShiftRows(std::uint64_t ticket, std::int64_t rows, float x);
/// Rows of width `width` for the fixture `any-width`, every value `x`.
Request AnyWidthRows(std::uint64_t ticket, std::int64_t rows, std::int64_t width, float x);
/// A row for the fixtures `pick` and `slow-rows`.
Request IntegerRow(std::uint64_t ticket, std::int64_t x);
/// `count` values for the fixture `fails-at-run`, which fails if that is odd.
Request ReshapeRequest(std::uint64_t ticket, std::size_t count);

/// Runs the test case `name` (decorated with doctest::skip()) alone in a new process, with
/// WARMSWAP_TEST_FILE naming `file`. Gives its exit status as waitpid does.
int RunInChild(const std::string& name, const std::filesystem::path& file);
/// In such a child: the file that its parent named.
std::filesystem::path ChildFile();

}  // namespace warmswap::test
