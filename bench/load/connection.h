#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clock.h"
#include "file_descriptor.h"
#include "protocol.h"

namespace load {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// Throws if the host cannot be resolved.
Address Resolve(const Url& url);

/// A request on its way.
struct Pending {
  std::uint32_t id = 0;
  std::size_t phase = 0;
  Nanoseconds due = 0;
};

class Connection;

/// Told what happens on connections.
class ConnectionEvents {
 public:
  virtual void OnOpen(Connection& connection) = 0;
  virtual void OnAnswer(Connection& connection, const Pending& request, const Message& answer) = 0;
  /// It was open and is closed, or could not be opened. `lost` was in flight.
  virtual void OnClosed(Connection& connection, bool was_open,
                        const std::vector<Pending>& lost) = 0;

 protected:
  ~ConnectionEvents() = default;
};

/// What all connections have in common. Outlives them.
struct ConnectionSetup {
  Address address;
  const Protocol* protocol = nullptr;
  std::string request;                   ///< as bytes of the wire
  std::optional<std::size_t> id_offset;  ///< of the number in a payload
  std::size_t id_in_request = 0;         ///< of the number in `request`
  int epoll = -1;
  std::span<char> read_buffer;  ///< for whichever connection reads
};

/// One non-blocking socket. Used by one thread.
class Connection {
 public:
  /// `key` comes back as epoll's data.
  Connection(const ConnectionSetup& setup, ConnectionEvents& events, std::uint64_t key)
      : setup_(setup), events_(events), key_(key) {}

  /// Begins to connect; OnOpen or OnClosed follows.
  void Connect();

  std::uint64_t key() const { return key_; }
  bool is_open() const { return state_ == State::kOpen; }
  const std::vector<Pending>& in_flight() const { return in_flight_; }

  /// Only while open. The request's id is set here.
  void Send(Pending request);

  void OnEpoll(std::uint32_t epoll_events);

 private:
  enum class State { kClosed, kConnecting, kOpening, kOpen };

  void FinishConnecting();
  void Receive();
  void ParseReceived(std::string_view received);
  std::size_t ParseOpening(std::string_view received);
  std::size_t ParseMessage(std::string_view rest);
  Pending TakeAnswered(std::string_view payload);
  void Write(std::string_view bytes);
  void FlushUnsent();
  void Watch(bool writable);
  void Close();

  const ConnectionSetup& setup_;
  ConnectionEvents& events_;
  const std::uint64_t key_;
  FileDescriptor socket_;
  State state_ = State::kClosed;
  bool watches_writable_ = false;
  std::string received_;  // the beginning of a message
  std::string unsent_;
  std::vector<Pending> in_flight_;  // the oldest first
  std::uint32_t next_id_ = 0;
};

}  // namespace load
