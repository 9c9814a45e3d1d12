#pragma once

#include <cstddef>

// What is used of CUDA's driver API, declared here so that no header of CUDA is needed to build.
// Its names, types and numbers are fixed by the driver's binary interface.
namespace warmswap::cuda {

using Result = int;
using DeviceHandle = int;
using ContextHandle = struct ContextTag*;
using StreamHandle = struct StreamTag*;
using DevicePointer = unsigned long long;

inline constexpr Result kSuccess = 0;
inline constexpr Result kOutOfMemory = 2;
inline constexpr Result kNotInitialized = 3;
inline constexpr Result kDeinitialized = 4;
inline constexpr Result kStubLibrary = 34;
inline constexpr Result kDeviceUnavailable = 46;
inline constexpr Result kNoDevice = 100;
inline constexpr Result kInvalidDevice = 101;
inline constexpr Result kSystemNotReady = 802;
inline constexpr Result kSystemDriverMismatch = 803;
inline constexpr Result kCompatNotSupported = 804;

inline constexpr unsigned kHostAllocPortable = 1;  // pinned for every context
inline constexpr unsigned kStreamNonBlocking = 1;  // does not wait for the default stream
inline constexpr int kCaptureModeRelaxed = 2;      // not bound by recordings of other threads
inline constexpr unsigned kIpcLazyEnablePeerAccess = 1;

struct Uuid {
  unsigned char bytes[16];
};

/// A device's memory as another process can open it.
struct IpcMemoryHandle {
  unsigned char bytes[64];
};

/// The driver's functions; the names in the library are in cuda_driver.cc.
struct Functions {
  Result (*Init)(unsigned flags);
  Result (*DriverGetVersion)(int* version);
  Result (*GetErrorName)(Result result, const char** name);
  Result (*GetErrorString)(Result result, const char** text);
  Result (*DeviceGetCount)(int* count);
  Result (*DeviceGet)(DeviceHandle* device, int ordinal);
  Result (*DeviceGetName)(char* name, int size, DeviceHandle device);
  Result (*DeviceGetUuid)(Uuid* uuid, DeviceHandle device);
  Result (*DeviceTotalMem)(std::size_t* bytes, DeviceHandle device);
  Result (*DevicePrimaryCtxRetain)(ContextHandle* context, DeviceHandle device);
  Result (*DevicePrimaryCtxRelease)(DeviceHandle device);
  Result (*CtxPushCurrent)(ContextHandle context);
  Result (*CtxPopCurrent)(ContextHandle* context);
  Result (*ThreadExchangeStreamCaptureMode)(int* mode);
  Result (*MemGetInfo)(std::size_t* free, std::size_t* total);
  Result (*MemAlloc)(DevicePointer* memory, std::size_t bytes);
  Result (*MemFree)(DevicePointer memory);
  Result (*MemHostAlloc)(void** memory, std::size_t bytes, unsigned flags);
  Result (*MemFreeHost)(void* memory);
  Result (*MemcpyHtoDAsync)(DevicePointer to, const void* from, std::size_t bytes, StreamHandle);
  Result (*MemcpyDtoHAsync)(void* to, DevicePointer from, std::size_t bytes, StreamHandle);
  Result (*StreamCreate)(StreamHandle* stream, unsigned flags);
  Result (*StreamSynchronize)(StreamHandle stream);
  Result (*StreamDestroy)(StreamHandle stream);
  Result (*IpcGetMemHandle)(IpcMemoryHandle* handle, DevicePointer memory);
  Result (*IpcOpenMemHandle)(DevicePointer* memory, IpcMemoryHandle handle, unsigned flags);
  Result (*IpcCloseMemHandle)(DevicePointer memory);
};

}  // namespace warmswap::cuda
