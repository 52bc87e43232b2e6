// Sweeps over failures of cables and nodes: what each scenario cuts off from every root.
//
//   lost(S) = sum of weight[v] over nodes v that reach some root, and none when all of S is gone
//
// Directions are ignored; a node that fails is lost itself. One scenario never reads another's answer, so that a sweep
// may be cut into ranges and run on as many threads as the caller has: the answers are the same, bit for bit. Sums are
// exact for whole numbers.
//
// Thread safety  pure functions; an overlay must not change meanwhile.
#pragma once

#include "whatif/core.hpp"

namespace tiertwin {

// N-2: every pair of the elements from `first` to `last` with every element.
//
// Returns  lost, row-major [last - first, elements, columns]: entry (i, j) is the loss when elements first + i and j
//          fail together, the single loss where they are the same.
// Costs    O(nodes + links) to fold, then one depth-first search over the core a row: about 35 ns a core node
//          and row (1.5 us a row of a core of 50 nodes).
void failure_pairs(const Core& core, std::size_t first, std::size_t last, std::span<double> lost);

// Any scenarios: scenario s fails the elements element[start[s]] .. element[start[s + 1] - 1].
struct Scenarios {
    std::span<const index_t> start, element;
    [[nodiscard]] std::size_t size() const { return start.size() - 1; }
};

// Throws InvalidArgument unless `start` counts up from 0 to the number of elements and each is one of `known`.
void require_scenarios(const Scenarios& scenarios, std::size_t known);

// Returns  lost, row-major [scenarios, columns].
// Costs    a search over the core a scenario: about 30 ns a core node.
void failure_scenarios(const Core& core, const Scenarios& scenarios, std::span<double> lost);

}  // namespace tiertwin
