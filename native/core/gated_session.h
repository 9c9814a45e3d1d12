#pragma once

#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "core/capture_gate.h"
#include "core/ort.h"
#include "core/webgpu_runs.h"

namespace warmswap {

/// What a session waits for before it frees its memory: that nothing is recorded (CaptureGate), or
/// that no other one uses WebGPU.
enum class SessionGate : std::uint8_t { kNone, kCapture, kWebGpu };

/// A session of ONNX Runtime that goes behind its gate.
class GatedSession {
 public:
  GatedSession(Ort::Session session, SessionGate gate)
      : session_(std::move(session)), gate_(gate) {}
  GatedSession(const GatedSession&) = delete;
  GatedSession& operator=(const GatedSession&) = delete;
  ~GatedSession() {
    if (gate_ == SessionGate::kCapture) {
      const std::shared_lock not_while_recording(CaptureGate());
      session_ = Ort::Session(nullptr);
    } else if (gate_ == SessionGate::kWebGpu) {
      const std::lock_guard one_at_a_time(WebGpuMutex());
      session_ = Ort::Session(nullptr);
    }
  }

  Ort::Session& get() noexcept { return session_; }

 private:
  Ort::Session session_;
  const SessionGate gate_;
};

}  // namespace warmswap
