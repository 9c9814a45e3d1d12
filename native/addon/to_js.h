#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "addon/napi.h"
#include "core/answer_format.h"
#include "core/artifact_packer.h"
#include "core/model.h"
#include "core/run_result.h"
#include "core/statistics.h"
#include "core/tensor.h"

namespace warmswap {

// Plain structs become JavaScript values here and nowhere else; src/native/binding.ts has their
// types.

Napi::Array FromStrings(Napi::Env env, const std::vector<std::string>& strings);

/// `[{ name, datatype, shape, symbols }]`
Napi::Array FromSpecs(Napi::Env env, const std::vector<TensorSpec>& specs);

/// `{ datatypes, shapes, data, queueUs, computeUs, batchSize }`. Big outputs keep ONNX Runtime's
/// memory alive instead of being copied.
Napi::Object FromRunResult(Napi::Env env, const RunResult& result);

/// A Uint8Array over memory that is freed when JavaScript has forgotten it.
Napi::Value LendBytes(Napi::Env env, std::unique_ptr<std::byte[]> bytes, std::size_t size);

/// The answer as Uint8Arrays that belong behind one another. Big outputs keep ONNX Runtime's memory
/// alive instead of being copied.
Napi::Array FromAnswer(Napi::Env env, const AnswerFrame& frame, const RunResult& result);

/// `{ form, reason, verified, sourceBytes, bytes, dataFileBytes, weightBytes, privateBytes,
/// unpackedSlowdown, loadBytes, peakMemoryGrowth, packSeconds }`; no reason where there is none.
Napi::Object FromPackReport(Napi::Env env, const PackReport& report);

/// `{ requests, rowsIn, rowsOut, bytesIn, bytesOut, batchSize, queueUs, assembleUs, runUs, splitUs
/// }`
Napi::Object FromStatistics(Napi::Env env, const StatisticsSnapshot& statistics);

/// `{ mappedBytes, residentBytes, privateBytes, deviceBytes }`; the last only with a device
Napi::Object FromMemory(Napi::Env env, const ModelMemory& memory);

}  // namespace warmswap
