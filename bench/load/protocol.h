#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "options.h"

namespace load {

/// The server sent what the protocol does not allow; the connection is given up.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The first message of what was received.
struct Message {
  enum class Kind { kIncomplete, kAnswer, kRefusal, kPing, kClose, kOther };

  Kind kind = Kind::kIncomplete;
  std::size_t length = 0;  ///< bytes of the message as a whole; 0 while it is incomplete
  std::string_view payload;
  bool is_last = false;  ///< the server takes no more on this connection
};

/// How requests and responses look on the wire. Has no state: all connections share one.
class Protocol {
 public:
  virtual ~Protocol() = default;

  /// What a new connection sends first; may be empty.
  virtual std::string Opening() const = 0;

  /// The length of the server's answer to the opening, 0 while it is incomplete.
  virtual std::size_t OpeningAnswerLength(std::string_view received) const = 0;

  /// One request as bytes of the wire, ready to send again and again.
  virtual std::string Request(std::string_view payload) const = 0;

  virtual Message Parse(std::string_view received) const = 0;

  /// The answer to a ping, as bytes of the wire.
  virtual std::string Pong(std::string_view payload) const = 0;
};

std::unique_ptr<Protocol> MakeWebSocketProtocol(const Url& url);
std::unique_ptr<Protocol> MakeHttpProtocol(const Url& url);

}  // namespace load
