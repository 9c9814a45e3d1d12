#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "addon/napi.h"
#include "core/artifact_packer.h"
#include "core/model.h"
#include "core/runner.h"
#include "core/tensor.h"

namespace warmswap {

// JavaScript values become plain structs here and nowhere else; src/native/binding.ts has their
// types. Whatever does not have the expected type throws kInvalidArgument.

/// `{ modelPath, intraOpThreads, runnerThreads, queueCapacity }`, and perhaps
/// `spinning`, `optimised`, `priorities`, `maxBatch`, `maxDelayMs` and `execution`
ModelOptions ToModelOptions(const Napi::Value& value);

/// An integer of 0 to 2^53 - 1; `what` names it in the error, as in those that follow.
std::int64_t ToInteger(const Napi::Value& value, const std::string& what);
/// Milliseconds of 0 to 1e10.
std::chrono::nanoseconds ToDuration(const Napi::Value& value, const std::string& what);
std::string ToText(const Napi::Value& value, const std::string& what);
Napi::Array ToArray(const Napi::Value& value, const std::string& what);

/// The bytes of an ArrayBuffer: use them before JavaScript runs again.
std::span<const std::byte> ToFrame(const Napi::Value& value);

/// The elements of a Float64Array, at least `count`.
std::span<double> ToFields(const Napi::Value& value, std::size_t count);

struct PackOrder {
  std::filesystem::path source_path;
  std::filesystem::path output_directory;
  PackOptions options;
};

/// `{ sourcePath, outputDirectory, intraOpThreads }`
PackOrder ToPackOrder(const Napi::Value& value);

/// Three arrays of one element per tensor. The views borrow the memory of `data`: use them before
/// JavaScript runs again.
std::vector<TensorView> ToTensorViews(const Napi::Value& datatypes, const Napi::Value& shapes,
                                      const Napi::Value& data);

/// An array of indices below `count`.
std::vector<std::size_t> ToIndices(const Napi::Value& value, std::size_t count);

/// Milliseconds from now, or undefined for none.
Clock::time_point ToDeadline(const Napi::Value& value);

/// An integer of at least 0, or undefined for none.
std::optional<std::size_t> ToPriority(const Napi::Value& value);

/// An integer of 0 to 2^53 - 1.
std::uint64_t ToTicket(const Napi::Value& value);

Napi::Array FromStrings(Napi::Env env, const std::vector<std::string>& strings);

/// `[{ name, datatype, shape, symbols }]`
Napi::Array FromSpecs(Napi::Env env, const std::vector<TensorSpec>& specs);

/// `{ datatypes, shapes, data, queueUs, computeUs, batchSize }`. Big outputs keep ONNX Runtime's
/// memory alive instead of being copied.
Napi::Object FromRunResult(Napi::Env env, const RunResult& result);

/// A Uint8Array over memory that is freed when JavaScript has forgotten it.
Napi::Value LendBytes(Napi::Env env, std::unique_ptr<std::byte[]> bytes, std::size_t size);

/// `{ form, reason, verified, sourceBytes, bytes, dataFileBytes, weightBytes, privateBytes,
/// loadBytes, peakMemoryGrowth, packSeconds }`; no reason where there is none.
Napi::Object FromPackReport(Napi::Env env, const PackReport& report);

/// `{ requests, rowsIn, rowsOut, bytesIn, bytesOut, batchSize, queueUs, assembleUs, runUs, splitUs
/// }`
Napi::Object FromStatistics(Napi::Env env, const StatisticsSnapshot& statistics);

/// `{ mappedBytes, residentBytes }`
Napi::Object FromMemory(Napi::Env env, const ModelMemory& memory);

}  // namespace warmswap
