#include "core/shared_load.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/device_weights.h"
#include "core/error.h"
#include "core/model_probe.h"

namespace warmswap {
namespace {

/// What the libraries of a device may take when the first session of a process is made: a copy of
/// weights that are fewer goes unnoticed.
constexpr std::uint64_t kLibraryBytes = std::uint64_t{512} << 20U;
/// A device sums in another order, and may compute FP32 with ten bits of mantissa.
constexpr double kTolerance = 2e-2;

[[noreturn]] void Refuse(const std::string& why) {
  throw Error(ErrorCode::kFailedPrecondition, "with shared weights " + why);
}

/// Without a copy of the weights: unpacked ones are the pages of the file.
std::vector<ProbeAnswer> AskProcessor(const OrtLibrary& library,
                                      const std::filesystem::path& model_path,
                                      const SessionOptions& options) {
  Session session(library, model_path,
                  {.intra_op_threads = options.intra_op_threads,
                   .optimised = true,
                   .prepacking = false,
                   .cancellation = options.cancellation});
  std::vector<ProbeAnswer> answers = Probe(session);
  if (answers.empty()) Refuse("it cannot be compared: the processor answers no generated input");
  return answers;
}

void RequireNoCopy(std::uint64_t free_before, Device& device, std::uint64_t shared,
                   const ModelFiles& files) {
  const std::uint64_t free = device.FreeBytes();
  const std::uint64_t grown = free_before - std::min(free_before, free);
  const std::uint64_t all = EstimateDeviceBytes(files);
  const std::uint64_t own = all - std::min(all, shared);
  if (grown <= own + shared / 2 + kLibraryBytes) return;
  Refuse("the session took " + std::to_string(grown) + " bytes of " + device.name() +
         ", as if it had copied them");
}

}  // namespace

std::shared_ptr<Session> LoadShared(const OrtLibrary& library,
                                    const std::filesystem::path& model_path,
                                    const SessionOptions& options, const ModelFiles& files) {
  const std::vector<ProbeAnswer> expected = AskProcessor(library, model_path, options);
  SessionOptions unrecorded = options;
  unrecorded.cuda.graphs = false;  // recordings are of the thread that will run it
  const std::uint64_t free_before = options.device->FreeBytes();
  auto session = std::make_shared<Session>(library, model_path, unrecorded);
  RequireNoCopy(free_before, *options.device, options.weights->bytes(), files);
  if (const auto difference = FindDifference(*session, expected, kTolerance)) {
    Refuse("it does not answer as on the processor: " + *difference);
  }
  if (!options.cuda.graphs) return session;
  session.reset();
  return std::make_shared<Session>(library, model_path, options);
}

}  // namespace warmswap
