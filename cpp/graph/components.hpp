// Connected components, directions ignored (weak connectivity): what a "disconnected graph" error counts and names.
//
// Thread safety  pure function. Costs: O(nodes + links).
#pragma once

#include <span>

#include "graph/overlay.hpp"

namespace tiertwin {

// Sets label[node] to 0..count-1, numbered by the lowest node of each; -1 at nodes the overlay failed. Returns count.
index_t components(const Graph& graph, const Overlay* overlay, std::span<index_t> label);

}  // namespace tiertwin
