#include "core/ort_library.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support.h"

namespace warmswap::test {

TEST_CASE("the library tells its version and providers") {
  const OrtLibrary& library = Library();
  CHECK(Contains(library.version(), "."));
  CHECK(std::ranges::count(library.providers(), "CPUExecutionProvider") == 1);
}

TEST_CASE("opening the library from many threads gives one and the same") {
  std::vector<const OrtLibrary*> opened(8);
  std::vector<std::thread> threads;
  for (const OrtLibrary*& library : opened) {
    threads.emplace_back([&library] { library = &Library(); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(opened == std::vector<const OrtLibrary*>(8, &Library()));
}

TEST_CASE("a second library is FAILED_PRECONDITION, with both paths") {
  Library();
  const TempDir dir;
  std::filesystem::create_symlink(LibraryPath(), dir / "other.so");
  const Error error = ErrorOf([&] { OrtLibrary::Open(dir / "other.so"); });
  CHECK(CodeName(error) == "FAILED_PRECONDITION");
  CHECK(Contains(error.what(), (dir / "other.so").string()));
  CHECK(Contains(error.what(), LibraryPath().string()));
}

TEST_CASE("child: libraries that do not open" * doctest::skip()) {
  const Error missing = ErrorOf([] { OrtLibrary::Open("/nowhere/libonnxruntime.so"); });
  CHECK(CodeName(missing) == "FAILED_PRECONDITION");
  CHECK(Contains(missing.what(), "/nowhere/libonnxruntime.so"));

  const Error no_library = ErrorOf([] { OrtLibrary::Open(ModelPath("garbage/1")); });
  CHECK(CodeName(no_library) == "FAILED_PRECONDITION");

  const Error another = ErrorOf([] { OrtLibrary::Open("libm.so.6"); });
  CHECK(CodeName(another) == "FAILED_PRECONDITION");
  CHECK(Contains(another.what(), "OrtGetApiBase"));

  CHECK_FALSE(Library().version().empty());
  WriteFile(ChildFile(), "done");
}

TEST_CASE("what is no ONNX Runtime is FAILED_PRECONDITION, and does not bar the right one") {
  const TempDir dir;
  CHECK(RunInChild("child: libraries that do not open", dir / "file") == 0);
  CHECK(ReadFile(dir / "file") == "done");
}

TEST_CASE("child: telemetry" * doctest::skip()) {
  unsetenv("ORT_DISABLE_TELEMETRY");
  Library();
  WriteFile(ChildFile(), std::getenv("ORT_DISABLE_TELEMETRY"));
}

TEST_CASE("opening the library turns its telemetry off") {
  const TempDir dir;
  CHECK(RunInChild("child: telemetry", dir / "file") == 0);
  CHECK(ReadFile(dir / "file") == "1");
}

}  // namespace warmswap::test
