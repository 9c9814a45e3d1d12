#include "models.h"

#include <stdlib.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "core/artifact_packer.h"

namespace warmswap::bench {
namespace {

std::filesystem::path MakeTemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "warmswap-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  return name;
}

}  // namespace

Models::Models(const OrtLibrary& library, std::filesystem::path folder, Target target)
    : library_(library),
      folder_(std::move(folder)),
      target_(std::move(target)),
      temporary_(MakeTemporaryFolder()) {}

Models::~Models() {
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

std::span<const LoadRoute> Models::routes() const noexcept {
  static constexpr std::array kOfProcessor{LoadRoute::kDefault, LoadRoute::kNoPrepacking,
                                           LoadRoute::kArtifact};
  static constexpr std::array kOfGpu{LoadRoute::kDefault, LoadRoute::kArtifact};
  if (target_.device) return kOfGpu;
  return kOfProcessor;
}

std::filesystem::path Models::File(const ModelName& model, LoadRoute route) {
  if (route == LoadRoute::kDefault) return folder_ / model.folder / "model.onnx";
  return Artifact(model) / kArtifactModel;
}

std::shared_ptr<Model> Models::Load(const ModelName& model, LoadRoute route, Execution execution,
                                    Runner::OnComplete on_complete) {
  ModelOptions options;
  options.model_path = File(model, route);
  options.session = OptionsFor(route);
  options.execution = execution;
  return std::make_shared<Model>(library_, options, std::move(on_complete));
}

std::shared_ptr<Session> Models::LoadSession(const ModelName& model, LoadRoute route) {
  return std::make_shared<Session>(library_, File(model, route), OptionsFor(route));
}

const std::filesystem::path& Models::Artifact(const ModelName& model) {
  const auto found = artifacts_.find(model.folder);
  if (found != artifacts_.end()) return found->second;
  const std::filesystem::path output = temporary_ / model.folder;
  PackArtifact(library_, folder_ / model.folder / "model.onnx", output,
               {.target = target_.device ? PackTarget::kDevice : PackTarget::kCpu});
  return artifacts_.emplace(model.folder, output).first->second;
}

SessionOptions Models::OptionsFor(LoadRoute route) const {
  SessionOptions options;
  if (target_.device) {
    options.device = target_.device;
    return options;
  }
  options.optimised = route != LoadRoute::kDefault;
  options.prepacking = route != LoadRoute::kNoPrepacking;
  return options;
}

}  // namespace warmswap::bench
