#pragma once

#include <filesystem>
#include <memory>

#include "core/session.h"

namespace warmswap {

/// Whether a session with these options gets its weights by LoadDirect.
bool IsLoadedDirectly(const SessionOptions& options) noexcept;

/// Copies the weights that lie beside the model to the device's memory, by WeightPlan and
/// Device::CopyWeights, and makes a session that uses them there, and is not optimised further.
/// ONNX Runtime copies all other weights, and those that it wants in other memory than the
/// device's. Throws as these do, and as Session does.
std::shared_ptr<Session> LoadDirect(const OrtLibrary& library,
                                    const std::filesystem::path& model_path,
                                    const SessionOptions& options);

}  // namespace warmswap
