#include "models.h"

#include <stdlib.h>

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

Models::Models(const OrtLibrary& library, std::filesystem::path folder)
    : library_(library), folder_(std::move(folder)), temporary_(MakeTemporaryFolder()) {}

Models::~Models() {
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

std::filesystem::path Models::File(const ModelName& model, LoadRoute route) {
  if (route == LoadRoute::kDefault) return Folder(model) / "model.onnx";
  return Artifact(model) / kArtifactModel;
}

std::shared_ptr<Model> Models::Load(const ModelName& model, DeviceKind device, LoadRoute route,
                                    Execution execution, Runner::OnComplete on_complete) {
  ModelOptions options;
  options.model_path = File(model, route);
  options.session = OptionsFor(device, route);
  options.execution = execution;
  return std::make_shared<Model>(library_, options, std::move(on_complete));
}

const std::filesystem::path& Models::Artifact(const ModelName& model) {
  const auto found = artifacts_.find(model.folder);
  if (found != artifacts_.end()) return found->second;
  const std::filesystem::path output = temporary_ / model.folder;
  PackArtifact(library_, Folder(model) / "model.onnx", output, {});
  return artifacts_.emplace(model.folder, output).first->second;
}

SessionOptions OptionsFor(DeviceKind /*device*/, LoadRoute route) {
  SessionOptions options;
  options.optimised = route != LoadRoute::kDefault;
  options.prepacking = route != LoadRoute::kNoPrepacking;
  return options;
}

}  // namespace warmswap::bench
