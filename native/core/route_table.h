#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/answer_format.h"
#include "core/infer_frame.h"
#include "core/model.h"

namespace warmswap {

/// What a request may ask for, and which version it gets.
struct Route {
  std::string model;
  std::optional<std::int64_t> version;  ///< asked for by number, or
  std::optional<std::string> label;     ///< by label, or neither: the active version
  std::int64_t served_version = 0;
  std::weak_ptr<Model> target;
  /// Of requests that bring none.
  std::optional<std::chrono::nanoseconds> deadline;
  /// For all outputs; nothing where one of them is kBytes, which has another form on the wire.
  std::shared_ptr<const AnswerFormat> format;
};

/// The routes of one generation. Immutable.
class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(std::vector<Route> routes);

  /// The index of the route that a request takes, if there is one.
  std::optional<std::size_t> Find(const InferFrame& frame) const;
  const Route& at(std::size_t index) const { return routes_.at(index); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct Entry {
    std::optional<std::size_t> active;
    std::map<std::int64_t, std::size_t> versions;
    std::map<std::string, std::size_t, std::less<>> labels;
  };

  std::vector<Route> routes_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
};

}  // namespace warmswap
