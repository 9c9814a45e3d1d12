#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "protocol.h"

namespace load {
namespace {

constexpr std::string_view kHeaderEnd = "\r\n\r\n";
constexpr std::string_view kContentLength = "\r\ncontent-length:";
constexpr std::string_view kConnectionClose = "\r\nconnection: close";

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lowered;
}

std::size_t ContentLength(const std::string& lowered) {
  const std::size_t at = lowered.find(kContentLength);
  if (at == std::string::npos) throw ProtocolError("a response without Content-Length");
  const std::size_t digits = lowered.find_first_not_of(' ', at + kContentLength.size());
  std::size_t length = 0;
  std::from_chars(lowered.data() + digits, lowered.data() + lowered.size(), length);
  return length;
}

/// HTTP/1.1 with keep-alive, one request at a time.
class HttpProtocol : public Protocol {
 public:
  explicit HttpProtocol(const Url& url) : url_(url) {}

  std::string Opening() const override { return {}; }

  std::size_t OpeningAnswerLength(std::string_view) const override { return 0; }

  std::string Request(std::string_view payload) const override {
    return "POST " + url_.path + " HTTP/1.1\r\nHost: " + url_.host + ":" + url_.port +
           "\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
           std::to_string(payload.size()) + std::string(kHeaderEnd) + std::string(payload);
  }

  Message Parse(std::string_view received) const override {
    const std::size_t end = received.find(kHeaderEnd);
    if (end == std::string_view::npos) return {};
    const std::size_t header = end + kHeaderEnd.size();
    const std::string lowered = Lowered(received.substr(0, end));
    const std::size_t size = ContentLength(lowered);
    if (received.size() - header < size) return {};
    const bool is_fine = received.starts_with("HTTP/1.1 200");
    return {is_fine ? Message::Kind::kAnswer : Message::Kind::kRefusal, header + size,
            received.substr(header, size), lowered.find(kConnectionClose) != std::string::npos};
  }

  std::string Pong(std::string_view) const override { return {}; }

 private:
  Url url_;
};

}  // namespace

std::unique_ptr<Protocol> MakeHttpProtocol(const Url& url) {
  return std::make_unique<HttpProtocol>(url);
}

}  // namespace load
