#include <cstdint>

#include "protocol.h"

namespace load {
namespace {

constexpr char kFinal = '\x80';
constexpr char kMasked = '\x80';
constexpr std::size_t kMaskBytes = 4;

enum Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

void AppendBigEndian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t ReadBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

// The mask is zero, so that the payload goes out as it is. Browsers must not do so; tests may.
std::string ClientFrame(Opcode opcode, std::string_view payload) {
  std::string frame{static_cast<char>(kFinal | static_cast<char>(opcode))};
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(kMasked | static_cast<char>(payload.size())));
  } else if (payload.size() < 65'536) {
    frame.push_back(static_cast<char>(kMasked | 126));
    AppendBigEndian(frame, payload.size(), 2);
  } else {
    frame.push_back(static_cast<char>(kMasked | 127));
    AppendBigEndian(frame, payload.size(), 8);
  }
  frame.append(kMaskBytes, '\0');
  return frame.append(payload);
}

std::size_t LengthBytes(std::uint8_t short_length) {
  if (short_length < 126) return 0;
  return short_length == 126 ? 2 : 8;
}

Message::Kind KindOf(std::uint8_t first_byte) {
  if ((first_byte & 0x80U) == 0) throw ProtocolError("the server fragments its messages");
  switch (first_byte & 0x0fU) {
    case kText:
    case kBinary:
      return Message::Kind::kAnswer;
    case kPing:
      return Message::Kind::kPing;
    case kClose:
      return Message::Kind::kClose;
    default:
      return Message::Kind::kOther;
  }
}

class WebSocketProtocol : public Protocol {
 public:
  explicit WebSocketProtocol(const Url& url) : url_(url) {}

  std::string Opening() const override {
    return "GET " + url_.path + " HTTP/1.1\r\nHost: " + url_.host + ":" + url_.port +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  }

  std::size_t OpeningAnswerLength(std::string_view received) const override {
    const std::size_t end = received.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (!received.starts_with("HTTP/1.1 101")) {
      throw ProtocolError("refused: " + std::string(received.substr(0, received.find('\r'))));
    }
    return end + 4;
  }

  std::string Request(std::string_view payload) const override {
    return ClientFrame(kBinary, payload);
  }

  Message Parse(std::string_view received) const override {
    if (received.size() < 2) return {};
    const auto short_length = static_cast<std::uint8_t>(received[1]);
    if (short_length > 127) throw ProtocolError("the server masks its messages");
    const std::size_t header = 2 + LengthBytes(short_length);
    if (received.size() < header) return {};
    const std::size_t size =
        header == 2 ? short_length : ReadBigEndian(received.substr(2, header - 2));
    if (received.size() - header < size) return {};
    const auto first_byte = static_cast<std::uint8_t>(received[0]);
    return {KindOf(first_byte), header + size, received.substr(header, size)};
  }

  std::string Pong(std::string_view payload) const override { return ClientFrame(kPong, payload); }

 private:
  Url url_;
};

}  // namespace

std::unique_ptr<Protocol> MakeWebSocketProtocol(const Url& url) {
  return std::make_unique<WebSocketProtocol>(url);
}

}  // namespace load
