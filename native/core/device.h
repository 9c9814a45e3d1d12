#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/cuda_options.h"
#include "core/memory_pool.h"
#include "core/ort.h"

namespace warmswap {

// What the core knows of a GPU. native/gpu implements it and uses the core; the core includes
// nothing of native/gpu, so that it builds, and is tested, without it.

class DeviceWeights;
class LoadCancellation;
class WeightPlan;

/// Memory of a device that is set aside, for as long as this object lives.
class DeviceReservation {
 public:
  DeviceReservation() = default;
  DeviceReservation(const DeviceReservation&) = delete;
  DeviceReservation& operator=(const DeviceReservation&) = delete;
  virtual ~DeviceReservation() = default;
};

/// Work for a device that is done in the order in which it was given. For one thread at a time. All
/// but Drain throw what the device reports.
class DeviceStream {
 public:
  DeviceStream() = default;
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;
  virtual ~DeviceStream() = default;

  /// What ONNX Runtime takes as a stream.
  virtual void* handle() const noexcept = 0;
  /// Memory of the device, of more than 0 bytes. Must not outlive the stream.
  virtual std::shared_ptr<void> Allocate(std::size_t bytes) = 0;
  /// Begin a copy; the host's memory must stay until it is done.
  virtual void CopyToDevice(void* to, std::span<const std::byte> from) = 0;
  virtual void CopyToHost(std::span<std::byte> to, const void* from) = 0;
  /// Returns when all work is done.
  virtual void Wait() = 0;
  /// The same where something failed: does not throw.
  virtual void Drain() noexcept = 0;
};

/// A GPU that models run on. Thread-safe; lives as long as the process where its memory leaves it.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// "cuda:0"
  virtual const std::string& name() const noexcept = 0;
  /// Lets a session run on this device; `stream` is the one for all its runs, or null. Throws
  /// kFailedPrecondition if this ONNX Runtime cannot.
  virtual void AddProvider(Ort::SessionOptions& options, const CudaOptions& cuda, void* stream) = 0;
  /// Sets memory aside. Throws kResourceExhausted, with the numbers, if less is free and not set
  /// aside for others.
  virtual std::unique_ptr<DeviceReservation> Reserve(std::uint64_t bytes) = 0;
  /// Memory that is free now, whoever has the rest.
  virtual std::uint64_t FreeBytes() = 0;
  /// Memory of the host that the device copies from and to without a detour.
  virtual MemoryPool& host_memory() noexcept = 0;
  /// The same as ONNX Runtime's allocator.
  virtual OrtAllocator* host_allocator() noexcept = 0;
  /// Where a session is to put outputs for the host, and what Allocate of a stream gives.
  virtual const OrtMemoryInfo* host_info() const noexcept = 0;
  virtual const OrtMemoryInfo* device_info() const noexcept = 0;
  virtual std::unique_ptr<DeviceStream> NewStream() = 0;
  /// Copies weights, of which there are some, to memory of the device. Throws as reading them does,
  /// kCancelled, and what the device reports.
  virtual std::shared_ptr<const DeviceWeights> CopyWeights(
      const WeightPlan& plan, const LoadCancellation& cancellation) = 0;
};

}  // namespace warmswap
