#include "core/stop_at_exit.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <mutex>
#include <unordered_set>
#include <utility>

namespace warmswap {

// Each entry has a lock of its own: stopping one owner may destroy others.
struct StopAtExit::Entry {
  std::mutex mutex;
  std::function<void()> stop;
};

class StopAtExit::Registry {
 public:
  // Never destroyed: while the process exits other threads may destroy what they own.
  static Registry& Get() {
    static Registry* const registry = new Registry();
    static const AtExit stop_all{*registry};
    return *registry;
  }

  void StopAll() {
    for (const std::shared_ptr<Entry>& entry : Entries()) {
      const std::lock_guard lock(entry->mutex);
      if (const auto stop = std::exchange(entry->stop, nullptr)) stop();
    }
  }

  void Add(std::shared_ptr<Entry> entry) {
    const std::lock_guard lock(mutex_);
    entries_.insert(std::move(entry));
  }

  void Remove(const std::shared_ptr<Entry>& entry) {
    const std::lock_guard lock(mutex_);
    entries_.erase(entry);
  }

 private:
  struct AtExit {
    Registry& registry;
    ~AtExit() { registry.StopAll(); }
  };

  std::unordered_set<std::shared_ptr<Entry>> Entries() {
    const std::lock_guard lock(mutex_);
    return entries_;
  }

  std::mutex mutex_;
  std::unordered_set<std::shared_ptr<Entry>> entries_;
};

// exit() destroys the objects of the thread that calls it before any static object; those of the
// main thread go in no other way.
struct StopAtExit::MainThreadEnd {
  ~MainThreadEnd() {
    if (syscall(SYS_gettid) == getpid()) Registry::Get().StopAll();
  }
};

StopAtExit::StopAtExit(std::function<void()> stop) : entry_(std::make_shared<Entry>()) {
  entry_->stop = std::move(stop);
  Registry::Get().Add(entry_);
  thread_local const MainThreadEnd end;
}

StopAtExit::~StopAtExit() {
  {
    const std::lock_guard lock(entry_->mutex);
    entry_->stop = nullptr;
  }
  Registry::Get().Remove(entry_);
}

}  // namespace warmswap
