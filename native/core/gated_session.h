#pragma once

#include <shared_mutex>
#include <utility>

#include "core/capture_gate.h"
#include "core/ort.h"

namespace warmswap {

/// A session of ONNX Runtime that, if it is a device's, frees its memory only while nothing is
/// recorded (CaptureGate).
class GatedSession {
 public:
  GatedSession(Ort::Session session, bool is_gated)
      : session_(std::move(session)), is_gated_(is_gated) {}
  GatedSession(const GatedSession&) = delete;
  GatedSession& operator=(const GatedSession&) = delete;
  ~GatedSession() {
    if (!is_gated_) return;
    const std::shared_lock not_while_recording(CaptureGate());
    session_ = Ort::Session(nullptr);
  }

  Ort::Session& get() noexcept { return session_; }

 private:
  Ort::Session session_;
  const bool is_gated_;
};

}  // namespace warmswap
