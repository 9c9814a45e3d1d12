// A stand-in for NVIDIA's driver library (libcuda.so.1) for machines without a GPU: its memory is
// the host's, which other processes can open. It counts what is alive, refuses what a real driver
// refuses (calls without a context, too much memory, a handle of memory that is gone), does copies
// only when somebody waits for them, and fails when told to. A process that cannot call the
// functions below sets STANDIN_GPUS, STANDIN_FREE_BYTES and STANDIN_OPENS_NOTHING; and, with
// STANDIN_MEMORY, a folder through which all processes see one memory.
#include "standin/fake_cuda_driver.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "gpu/cuda_api.h"

namespace warmswap::cuda {

struct ContextTag {};

struct StreamTag {
  struct Copy {
    void* to;
    const void* from;
    std::size_t bytes;
  };
  std::vector<Copy> copies;
};

}  // namespace warmswap::cuda

namespace {

using namespace warmswap::cuda;

constexpr Result kInvalidValue = 1;
constexpr Result kInvalidContext = 201;
constexpr Result kInvalidHandle = 400;

struct Freed {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
using Memory = std::unique_ptr<void, Freed>;

struct Block {
  Memory memory;
  std::size_t bytes;
};

/// A file without a name that is mapped: its descriptor is what others reach it by.
class SharedMemory {
 public:
  /// Takes the descriptor.
  SharedMemory(int file, std::size_t bytes) : file_(file), bytes_(bytes) {
    data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  }
  SharedMemory(SharedMemory&& other) noexcept
      : file_(std::exchange(other.file_, -1)),
        bytes_(other.bytes_),
        data_(std::exchange(other.data_, MAP_FAILED)) {}
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory() {
    if (data_ != MAP_FAILED) munmap(data_, bytes_);
    if (file_ >= 0) close(file_);
  }
  int file() const noexcept { return file_; }
  std::size_t bytes() const noexcept { return bytes_; }
  void* data() const noexcept { return data_; }
  bool is_mapped() const noexcept { return data_ != MAP_FAILED; }

 private:
  int file_;
  std::size_t bytes_;
  void* data_;
};

/// What is in a handle.
struct Export {
  pid_t process;
  int file;
  std::size_t bytes;
};
static_assert(sizeof(Export) <= sizeof(IpcMemoryHandle));

struct Driver {
  std::mutex mutex;
  std::filesystem::path common_memory;  // what each process has, in a file with its id as the name
  StandinSettings settings;
  StandinCounts counts;
  ContextTag context;
  bool is_initialised = false;
  std::map<const void*, SharedMemory> device_blocks;
  std::map<const void*, SharedMemory> opened;
  std::map<const void*, Block> host_blocks;
  std::map<StreamHandle, std::unique_ptr<StreamTag>> streams;
};

StandinSettings FromEnvironment() {
  StandinSettings settings;
  if (const char* gpus = std::getenv("STANDIN_GPUS")) settings.gpus = std::stoi(gpus);
  if (const char* free = std::getenv("STANDIN_FREE_BYTES")) {
    settings.taken_by_others = settings.total_bytes - std::stoull(free);
  }
  settings.opens_nothing = std::getenv("STANDIN_OPENS_NOTHING") != nullptr;
  return settings;
}

// Not destroyed: tests' objects may still be calling when the process ends.
Driver& State() {
  static auto* const driver = [] {
    auto made = std::make_unique<Driver>();
    made->settings = FromEnvironment();
    if (const char* folder = std::getenv("STANDIN_MEMORY")) made->common_memory = folder;
    return made.release();
  }();
  return *driver;
}

thread_local std::vector<ContextHandle> current_contexts;

/// Counts a call; gives the failure that was asked for, if it is this one's turn.
Result Enter(Driver& driver) {
  ++driver.counts.calls;
  if (driver.settings.failing_call == 0 || --driver.settings.failing_call > 0) return kSuccess;
  return driver.settings.failure;
}

Result EnterWithContext(Driver& driver) {
  const Result result = Enter(driver);
  if (result != kSuccess) return result;
  return current_contexts.empty() ? kInvalidContext : kSuccess;
}

/// Of those that have not ended.
std::size_t BytesOfOtherProcesses(const Driver& driver) {
  if (driver.common_memory.empty()) return 0;
  std::size_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(driver.common_memory)) {
    const std::string process = entry.path().filename();
    if (process == std::to_string(getpid())) continue;
    if (!std::filesystem::exists("/proc/" + process)) continue;
    std::size_t bytes = 0;
    std::ifstream(entry.path()) >> bytes;
    sum += bytes;
  }
  return sum;
}

std::size_t FreeBytes(const Driver& driver) {
  const std::size_t used =
      driver.settings.taken_by_others + driver.counts.device_bytes + BytesOfOtherProcesses(driver);
  return driver.settings.total_bytes - used;
}

void SetDeviceBytes(Driver& driver, std::size_t bytes) {
  driver.counts.device_bytes = bytes;
  if (driver.common_memory.empty()) return;
  std::ofstream(driver.common_memory / std::to_string(getpid())) << bytes;
}

/// Keeps what is mapped in `blocks`; `file` is -1 where there is none.
Result Map(std::map<const void*, SharedMemory>& blocks, int file, std::size_t bytes,
           DevicePointer* memory) {
  if (file < 0) return kInvalidValue;
  SharedMemory mapped(file, bytes);
  if (!mapped.is_mapped()) return kOutOfMemory;
  *memory = reinterpret_cast<DevicePointer>(mapped.data());
  blocks.emplace(mapped.data(), std::move(mapped));
  return kSuccess;
}

Result Allocate(std::map<const void*, Block>& blocks, std::size_t bytes, void** memory) {
  if (bytes == 0) return kInvalidValue;
  Memory made(std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096));
  if (!made) return kOutOfMemory;
  *memory = made.get();
  blocks.emplace(*memory, Block{std::move(made), bytes});
  return kSuccess;
}

void Finish(StreamTag& stream) {
  for (const StreamTag::Copy& copy : stream.copies) std::memcpy(copy.to, copy.from, copy.bytes);
  stream.copies.clear();
}

Result Enqueue(StreamHandle stream, void* to, const void* from, std::size_t bytes) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  if (!driver.streams.contains(stream)) return kInvalidHandle;
  stream->copies.push_back({to, from, bytes});
  return kSuccess;
}

const char* NameOf(Result result) {
  switch (result) {
    case kInvalidValue:
      return "CUDA_ERROR_INVALID_VALUE";
    case kOutOfMemory:
      return "CUDA_ERROR_OUT_OF_MEMORY";
    case kNoDevice:
      return "CUDA_ERROR_NO_DEVICE";
    case kInvalidContext:
      return "CUDA_ERROR_INVALID_CONTEXT";
    case kInvalidHandle:
      return "CUDA_ERROR_INVALID_HANDLE";
    case 719:
      return "CUDA_ERROR_LAUNCH_FAILED";
    default:
      return nullptr;
  }
}

}  // namespace

extern "C" {
#pragma GCC visibility push(default)

void standin_reset() {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  driver.settings = FromEnvironment();
  driver.counts.calls = 0;
}

void standin_set(const StandinSettings& settings) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  driver.settings = settings;
}

StandinCounts standin_count() {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  return driver.counts;
}

Result cuInit(unsigned /*flags*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = Enter(driver); result != kSuccess) return result;
  driver.is_initialised = driver.settings.gpus > 0;
  return driver.is_initialised ? kSuccess : kNoDevice;
}

Result cuDriverGetVersion(int* version) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  *version = 13010;
  return Enter(driver);
}

Result cuGetErrorName(Result result, const char** name) {
  *name = NameOf(result);
  return *name != nullptr ? kSuccess : kInvalidValue;
}

Result cuGetErrorString(Result result, const char** text) {
  *text = result == kOutOfMemory ? "out of memory" : nullptr;
  return *text != nullptr ? kSuccess : kInvalidValue;
}

Result cuDeviceGetCount(int* count) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  *count = driver.settings.gpus;
  return driver.is_initialised ? Enter(driver) : kNotInitialized;
}

Result cuDeviceGet(DeviceHandle* device, int ordinal) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  *device = ordinal;
  return ordinal < driver.settings.gpus ? Enter(driver) : kInvalidDevice;
}

Result cuDeviceGetName(char* name, int size, DeviceHandle device) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  const std::string text = "Stand-in " + std::to_string(device);
  text.copy(name, static_cast<std::size_t>(size));
  return Enter(driver);
}

Result cuDeviceGetUuid_v2(Uuid* uuid, DeviceHandle device) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  for (unsigned i = 0; i < sizeof(uuid->bytes); ++i) {
    uuid->bytes[i] = static_cast<unsigned char>(0x10 * device + i);
  }
  return Enter(driver);
}

Result cuDeviceTotalMem_v2(std::size_t* bytes, DeviceHandle /*device*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  *bytes = driver.settings.total_bytes;
  return Enter(driver);
}

Result cuDevicePrimaryCtxRetain(ContextHandle* context, DeviceHandle /*device*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = Enter(driver); result != kSuccess) return result;
  *context = &driver.context;
  ++driver.counts.contexts;
  return kSuccess;
}

Result cuDevicePrimaryCtxRelease_v2(DeviceHandle /*device*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  --driver.counts.contexts;
  return kSuccess;
}

Result cuCtxPushCurrent_v2(ContextHandle context) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = Enter(driver); result != kSuccess) return result;
  if (driver.counts.contexts == 0) return kInvalidContext;
  current_contexts.push_back(context);
  ++driver.counts.pushed_contexts;
  return kSuccess;
}

Result cuCtxPopCurrent_v2(ContextHandle* context) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (current_contexts.empty()) return kInvalidContext;
  *context = current_contexts.back();
  current_contexts.pop_back();
  --driver.counts.pushed_contexts;
  return kSuccess;
}

Result cuThreadExchangeStreamCaptureMode(int* mode) {
  thread_local int current = 0;
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (*mode < 0 || *mode > kCaptureModeRelaxed) return kInvalidValue;
  // Only on the way in, so that what must not fail does not.
  const bool is_on_its_way_in = *mode == kCaptureModeRelaxed;
  const Result result = is_on_its_way_in ? Enter(driver) : kSuccess;
  if (result == kSuccess) std::swap(*mode, current);
  return result;
}

Result cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  *free = FreeBytes(driver);
  *total = driver.settings.total_bytes;
  return EnterWithContext(driver);
}

Result cuMemAlloc_v2(DevicePointer* memory, std::size_t bytes) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  if (bytes > FreeBytes(driver)) return kOutOfMemory;
  if (bytes == 0) return kInvalidValue;
  const int file = memfd_create("device", MFD_CLOEXEC);
  if (file >= 0 && ftruncate(file, static_cast<off_t>(bytes)) != 0) return kOutOfMemory;
  if (const Result result = Map(driver.device_blocks, file, bytes, memory); result != kSuccess) {
    return result;
  }
  ++driver.counts.device_blocks;
  SetDeviceBytes(driver, driver.counts.device_bytes + bytes);
  return kSuccess;
}

Result cuMemFree_v2(DevicePointer memory) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (current_contexts.empty()) return kInvalidContext;
  const auto found = driver.device_blocks.find(reinterpret_cast<const void*>(memory));
  if (found == driver.device_blocks.end()) return kInvalidValue;
  for (const auto& [handle, stream] : driver.streams) Finish(*stream);  // as the real one does
  --driver.counts.device_blocks;
  SetDeviceBytes(driver, driver.counts.device_bytes - found->second.bytes());
  driver.device_blocks.erase(found);
  return kSuccess;
}

Result cuMemHostAlloc(void** memory, std::size_t bytes, unsigned /*flags*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  if (driver.settings.pins_nothing) return kOutOfMemory;
  if (const Result result = Allocate(driver.host_blocks, bytes, memory); result != kSuccess) {
    return result;
  }
  ++driver.counts.host_blocks;
  driver.counts.host_bytes += bytes;
  return kSuccess;
}

Result cuMemFreeHost(void* memory) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (current_contexts.empty()) return kInvalidContext;
  const auto found = driver.host_blocks.find(memory);
  if (found == driver.host_blocks.end()) return kInvalidValue;
  --driver.counts.host_blocks;
  driver.counts.host_bytes -= found->second.bytes;
  driver.host_blocks.erase(found);
  return kSuccess;
}

Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, std::size_t bytes,
                            StreamHandle stream) {
  return Enqueue(stream, reinterpret_cast<void*>(to), from, bytes);
}

Result cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, std::size_t bytes, StreamHandle stream) {
  return Enqueue(stream, to, reinterpret_cast<const void*>(from), bytes);
}

Result cuStreamCreate(StreamHandle* stream, unsigned /*flags*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  auto made = std::make_unique<StreamTag>();
  *stream = made.get();
  driver.streams.emplace(*stream, std::move(made));
  ++driver.counts.streams;
  return kSuccess;
}

Result cuStreamSynchronize(StreamHandle stream) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  if (!driver.streams.contains(stream)) return kInvalidHandle;
  Finish(*stream);
  return kSuccess;
}

Result cuStreamDestroy_v2(StreamHandle stream) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (current_contexts.empty()) return kInvalidContext;
  if (driver.streams.erase(stream) == 0) return kInvalidHandle;
  --driver.counts.streams;
  return kSuccess;
}

Result cuIpcGetMemHandle(IpcMemoryHandle* handle, DevicePointer memory) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  const auto found = driver.device_blocks.find(reinterpret_cast<const void*>(memory));
  if (found == driver.device_blocks.end()) return kInvalidValue;
  const Export exported{getpid(), found->second.file(), found->second.bytes()};
  std::memcpy(handle->bytes, &exported, sizeof(exported));
  return kSuccess;
}

Result cuIpcOpenMemHandle_v2(DevicePointer* memory, IpcMemoryHandle handle, unsigned /*flags*/) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (const Result result = EnterWithContext(driver); result != kSuccess) return result;
  if (driver.settings.opens_nothing) return kInvalidValue;
  Export exported{};
  std::memcpy(&exported, handle.bytes, sizeof(exported));
  const std::string path =
      "/proc/" + std::to_string(exported.process) + "/fd/" + std::to_string(exported.file);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  const Result result = Map(driver.opened, file, exported.bytes, memory);
  if (result == kSuccess) ++driver.counts.opened_handles;
  return result;
}

Result cuIpcCloseMemHandle(DevicePointer memory) {
  Driver& driver = State();
  const std::lock_guard lock(driver.mutex);
  if (current_contexts.empty()) return kInvalidContext;
  if (driver.opened.erase(reinterpret_cast<const void*>(memory)) == 0) return kInvalidValue;
  --driver.counts.opened_handles;
  return kSuccess;
}

#pragma GCC visibility pop
}
