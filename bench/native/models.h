#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/model.h"
#include "core/ort_library.h"
#include "target.h"

namespace warmswap::bench {

/// How a model gets from its files into a session.
enum class LoadRoute {
  kDefault,       ///< the user's file, optimised and packed while it is loaded
  kNoPrepacking,  ///< its artifact, without the packed weights: what a cold start serves first
  kArtifact,      ///< its artifact, with the packed weights if there are any: what workers serve
};

/// A perceptron x FP32 [n, width] -> y FP32 [n, width] (bench/lib/models.ts).
struct ModelName {
  std::string_view folder;
  std::size_t width;
};

inline constexpr ModelName kTiny{"tiny", 64};
inline constexpr ModelName kMid{"mid", 512};
/// 34 MB of weights, in an external file.
inline constexpr ModelName kWide{"wide", 1024};

/// The models that the cases load for one target, and their artifacts. For one thread.
class Models {
 public:
  /// `folder` has one folder a model. Artifacts are made in a temporary folder, which goes with
  /// this.
  Models(const OrtLibrary& library, std::filesystem::path folder, Target target = {});
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;
  ~Models();

  const OrtLibrary& library() const noexcept { return library_; }
  DeviceKind device() const noexcept { return target_.kind; }
  /// Where inputs lie.
  MemoryPool& memory() const noexcept { return target_.MemoryFor(library_); }
  /// Those that there are for the target: packed weights are the processor's.
  std::span<const LoadRoute> routes() const noexcept;

  /// model.onnx as that route loads it; makes the artifact at its first use.
  std::filesystem::path File(const ModelName& model, LoadRoute route);

  /// As a worker loads it, with one thread a run.
  std::shared_ptr<Model> Load(const ModelName& model, LoadRoute route, Execution execution,
                              Runner::OnComplete on_complete);

  /// The same without what queues requests.
  std::shared_ptr<Session> LoadSession(const ModelName& model, LoadRoute route);

 private:
  SessionOptions OptionsFor(LoadRoute route) const;
  const std::filesystem::path& Artifact(const ModelName& model);

  const OrtLibrary& library_;
  const std::filesystem::path folder_;
  const Target target_;
  const std::filesystem::path temporary_;
  std::map<std::string_view, std::filesystem::path> artifacts_;
};

}  // namespace warmswap::bench
