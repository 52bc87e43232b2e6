// Degree-one collapse: fold every node that has one neighbour into it, again and again, until none is left to fold.
//
//   into[v] = the only neighbour that v has when it is folded; -1 at the nodes that stay (the core)
//
// Trees hanging on a mesh fold into the nodes they hang on, a whole tree into one node; parallel links make one
// neighbour, loops none. Nodes that `keep(node)` names are never folded. `each(node, visit)` calls visit(neighbour) for
// every link of the node, directions ignored.
//
// Thread safety  pure function.
// Costs          O(nodes + links). The neighbour left is known without search: the exclusive or of all that remain.
#pragma once

#include <cstdint>
#include <vector>

#include "base/index.hpp"
#include "base/types.hpp"

namespace tiertwin {

struct Peeled {
    std::vector<std::int32_t> into;   // by node
    std::vector<std::int32_t> order;  // folded nodes, a node before what it folds into
};

template <typename Each, typename Keep>
Peeled peel(index_t nodes, const Each& each, const Keep& keep) {
    const auto size = static_cast<std::size_t>(nodes);
    Peeled peeled{std::vector<std::int32_t>(size, -1), {}};
    std::vector<std::int32_t> degree(size, 0), rest(size, 0), seen_by(size, -1);  // of distinct neighbours
    for (std::int32_t v = 0; v < nodes; ++v)
        each(v, [&](std::int32_t other) {
            if (other == v || seen_by[at(other)] == v) return;
            seen_by[at(other)] = v;
            ++degree[at(v)];
            rest[at(v)] ^= other;
        });
    for (std::int32_t v = 0; v < nodes; ++v)
        // Folding v may make its neighbour foldable; go up as far as that leads (it may lie behind us).
        for (std::int32_t node = v; degree[at(node)] == 1 && !keep(node);) {
            const std::int32_t other = rest[at(node)];
            peeled.into[at(node)] = other;
            peeled.order.push_back(node);
            degree[at(node)] = 0;
            --degree[at(other)];
            rest[at(other)] ^= node;
            if (other > v) break;  // its turn comes
            node = other;
        }
    return peeled;
}

}  // namespace tiertwin
