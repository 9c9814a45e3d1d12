#include "core/load_cancellation.h"

#include "core/error.h"

namespace warmswap {

void LoadCancellation::Cancel() {
  const std::lock_guard lock(mutex_);
  is_cancelled_ = true;
  if (end_session_) end_session_();
}

void LoadCancellation::ThrowIfCancelled(const std::string& what) const {
  if (is_cancelled_) throw Error(ErrorCode::kCancelled, "loading " + what + " was cancelled");
}

// Under the lock, so that the options outlive whoever sets their flag.
LoadCancellation::Scope::Scope(LoadCancellation& cancellation, const OrtLibrary& library,
                               Ort::SessionOptions& options)
    : cancellation_(cancellation) {
  const std::lock_guard lock(cancellation_.mutex_);
  cancellation_.end_session_ = [&library, &options] { library.CancelCreation(options); };
  if (cancellation_.is_cancelled_) cancellation_.end_session_();
}

LoadCancellation::Scope::~Scope() {
  const std::lock_guard lock(cancellation_.mutex_);
  cancellation_.end_session_ = nullptr;
}

}  // namespace warmswap
