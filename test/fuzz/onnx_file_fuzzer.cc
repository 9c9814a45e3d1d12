#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "core/artifact_layout.h"
#include "core/error.h"
#include "core/onnx_file.h"
#include "core/onnx_rewrite.h"

// Reads any bytes as a model file. They are refused as FAILED_PRECONDITION, or what was found in
// them is still there after rewriting.

namespace {

using warmswap::ExternalTensor;
using warmswap::OnnxContents;

std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

void Require(bool condition) {
  if (!condition) std::abort();
}

/// A refused step ends here; any other exception ends the fuzzer.
template <typename Body>
void AllowRefusal(const Body& body) {
  try {
    body();
  } catch (const warmswap::Error& error) {
    Require(error.code() == warmswap::ErrorCode::kFailedPrecondition);
  }
}

void UseTensor(const ExternalTensor& tensor) {
  Require(!tensor.location.empty());
  Require(warmswap::Printable(tensor.name).size() <= 210);
  AllowRefusal([&] { warmswap::DeclaredBytes(tensor); });
}

void CheckRewriting(std::span<const std::byte> model, const OnnxContents& contents) {
  const std::string once = warmswap::RewriteOnnx(model);
  const OnnxContents rewritten = warmswap::ParseOnnx(AsBytes(once));
  Require(rewritten.external.size() <= contents.external.size());
  Require(warmswap::RewriteOnnx(AsBytes(once)) == once);
}

void CheckLayout(const OnnxContents& contents) {
  const warmswap::ArtifactLayout layout = warmswap::PlanLayout(contents.external);
  std::uint64_t end = 0;
  for (const warmswap::BlobMove& move : layout.moves) {
    Require(move.to >= end && move.to % warmswap::kBlobAlignment == 0);
    end = move.to + move.from.length;
  }
  Require(end == layout.size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = std::as_bytes(std::span(data, size));
  AllowRefusal([&] {
    const OnnxContents contents = warmswap::ParseOnnx(model);
    for (const ExternalTensor& tensor : contents.external) UseTensor(tensor);
    CheckRewriting(model, contents);
    AllowRefusal([&] { CheckLayout(contents); });
  });
  return 0;
}
