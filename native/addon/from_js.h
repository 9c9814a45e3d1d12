#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
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
/// `spinning`, `optimised`, `unpacked`, `reserveBytes`, `priorities`, `maxBatch`, `maxDelayMs` and
/// `execution`
ModelOptions ToModelOptions(const Napi::Value& value);

/// An integer of 0 to 2^53 - 1; `what` names it in the error, as in those that follow.
std::int64_t ToInteger(const Napi::Value& value, const std::string& what);
/// Milliseconds of 0 to 1e10.
std::chrono::nanoseconds ToDuration(const Napi::Value& value, const std::string& what);
std::string ToText(const Napi::Value& value, const std::string& what);
Napi::Array ToArray(const Napi::Value& value, const std::string& what);

/// The bytes of an ArrayBuffer: use them before JavaScript runs again.
std::span<const std::byte> ToFrame(const Napi::Value& value);

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

}  // namespace warmswap
