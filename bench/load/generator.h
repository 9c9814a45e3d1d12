#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "connection.h"
#include "expectation.h"
#include "options.h"
#include "recorder.h"

namespace load {

/// The phase that is not reported: everything before the first one that is asked for.
inline const std::string kWarmup = "warmup";

/// Drives the load: one thread, one epoll. In a closed loop each connection has `depth` requests in
/// flight, and sends one for each answer. In an open loop requests are due at a fixed rate,
/// whatever the server does; one that finds no free connection waits, and its latency counts from
/// when it was due.
class Generator final : private ConnectionEvents {
 public:
  explicit Generator(const Options& options);

  /// Runs to the end and gives the account. Throws if not all connections open.
  const Recorder& Run();

 private:
  enum class Stage { kOpening, kRunning, kDraining, kDone };

  struct Retry {
    Nanoseconds at;
    std::size_t connection;
  };

  void OnOpen(Connection& connection) override;
  void OnAnswer(Connection& connection, const Pending& request, const Message& answer) override;
  void OnClosed(Connection& connection, bool was_open, const std::vector<Pending>& lost) override;

  void Wait();
  void HandleDue(Nanoseconds now);
  void HandleEpoll(std::uint64_t key, std::uint32_t epoll_events);
  Nanoseconds NextDeadline() const;
  void ArmTimer(Nanoseconds deadline);

  std::size_t CountOpen() const;
  void StartRunning();
  void StartDraining();
  void ReadPhaseNames();
  void EndPhase(Nanoseconds now);
  void CountUnanswered();

  bool is_open_loop() const { return options_.rate > 0; }
  void FillConnection(Connection& connection);
  void SendDue(Nanoseconds now);
  void SendWaiting();
  Connection* FreeConnection();

  const Options options_;
  const Expectation expectation_;
  std::unique_ptr<Protocol> protocol_;
  FileDescriptor epoll_;
  FileDescriptor timer_;
  std::vector<char> read_buffer_;
  ConnectionSetup setup_;
  std::deque<Connection> connections_;
  std::deque<Retry> retries_;
  std::deque<Pending> waiting_;  // due, and no connection is free
  Recorder recorder_;
  Stage stage_ = Stage::kOpening;
  std::size_t next_connection_ = 0;
  Nanoseconds next_due_ = kNever;
  Nanoseconds interval_ = 0;
  Nanoseconds stage_ends_ = kNever;
  Nanoseconds armed_ = kNever;
  std::string phase_names_;  // read, the last line perhaps in part
};

}  // namespace load
