#include "core/route_table.h"

#include <utility>

namespace warmswap {
namespace {

template <typename Map, typename Key>
std::optional<std::size_t> Lookup(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    Entry& entry = entries_[route.model];
    if (route.version) {
      entry.versions.emplace(*route.version, i);
    } else if (route.label) {
      entry.labels.emplace(*route.label, i);
    } else {
      entry.active = i;
    }
  }
}

std::optional<std::size_t> RouteTable::Find(const InferFrame& frame) const {
  const auto found = entries_.find(frame.model);
  if (found == entries_.end()) return std::nullopt;
  if (frame.version) return Lookup(found->second.versions, *frame.version);
  if (frame.label) return Lookup(found->second.labels, *frame.label);
  return found->second.active;
}

}  // namespace warmswap
