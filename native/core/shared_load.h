#pragma once

#include <filesystem>
#include <memory>

#include "core/external_data.h"
#include "core/session.h"

namespace warmswap {

/// Makes a session with `options.weights`, and proves it: that the device's memory has not shrunk
/// by another copy of them, and that generated inputs are answered as the processor answers them.
/// Throws kFailedPrecondition saying which of that does not hold, or that it cannot be told because
/// the processor takes none of these inputs; else as Session does.
std::shared_ptr<Session> LoadShared(const OrtLibrary& library,
                                    const std::filesystem::path& model_path,
                                    const SessionOptions& options, const ModelFiles& files);

}  // namespace warmswap
