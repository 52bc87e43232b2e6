// Depth-first search with low points, from a set of roots, without recursion: the search under the failure sweeps.
//
//   low[i] = the earliest node that the subtree of i reaches over one cable besides its tree        (Tarjan 1972)
//
// All roots hang on one node that cannot fail, at position -1: the subtree of i loses every root when its parent p
// fails iff low[i] >= p, and when the cable above it fails iff low[i] == i. Nodes are numbered by discovery
// ("positions"), in which order every array here stands; the subtree of i is a run of positions that begins at i.
//
// Thread safety  one thread owns a `LowLink`; it is reused from search to search.
// Costs          O(nodes + cables reached), and clearing what the last search reached.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/cables.hpp"

namespace tiertwin {

class LowLink {
  public:
    explicit LowLink(index_t nodes) : position_(static_cast<std::size_t>(nodes), kNew) {}

    // `rows(node)` gives the ends at a node, `up(end)` whether cable and far node are up, `alive(node)` whether a root
    // is.
    template <typename Rows, typename Up, typename Alive>
    void search(std::span<const std::int32_t> roots, const Rows& rows, const Up& up, const Alive& alive) {
        clear();
        for (const std::int32_t root : roots)
            if (alive(root)) position_[at(root)] = kRoot;
        for (const std::int32_t root : roots) {
            if (position_[at(root)] != kRoot) continue;
            position_[at(root)] = kNew;  // the first of its tree hangs on the common node by the tree itself
            grow(root, rows, up);
        }
    }

    [[nodiscard]] std::int32_t reached() const { return static_cast<std::int32_t>(node.size()); }
    [[nodiscard]] bool has(std::int32_t node_id) const { return position_[at(node_id)] >= 0; }

    std::vector<std::int32_t> node;    // by position
    std::vector<std::int32_t> parent;  // position of the parent; -1 at the roots of trees
    std::vector<std::int32_t> cable;   // to the parent; -1 there
    std::vector<std::int32_t> low;

  private:
    static constexpr std::int32_t kNew = -1, kRoot = -2;  // not reached yet; a root not reached yet
    struct Frame {
        const Cables::End *next, *end;
        std::int32_t position;
    };
    static std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

    void clear() {
        for (const std::int32_t u : node) position_[at(u)] = kNew;
        for (auto* column : {&node, &parent, &cable, &low}) column->clear();
    }

    template <typename Rows>
    void open(std::int32_t u, std::int32_t above, std::int32_t by, const Rows& rows) {
        const std::int32_t here = reached();
        low.push_back(position_[at(u)] == kRoot ? -1 : here);
        position_[at(u)] = here;
        node.push_back(u);
        parent.push_back(above);
        cable.push_back(by);
        const std::span<const Cables::End> row = rows(u);
        stack_.push_back({row.data(), row.data() + row.size(), here});
    }

    template <typename Rows, typename Up>
    void grow(std::int32_t root, const Rows& rows, const Up& up) {
        open(root, -1, -1, rows);
        while (!stack_.empty()) {
            Frame& frame = stack_.back();
            const std::int32_t here = frame.position;
            if (frame.next == frame.end) {
                stack_.pop_back();
                if (const std::int32_t above = parent[at(here)]; above >= 0)
                    low[at(above)] = std::min(low[at(above)], low[at(here)]);
                continue;
            }
            const Cables::End end = *frame.next++;
            const std::int32_t there = position_[at(end.head)];
            if (!up(end) || end.cable == cable[at(here)]) continue;
            if (there < 0)
                open(end.head, here, end.cable, rows);
            else
                low[at(here)] = std::min(low[at(here)], there);
        }
    }

    std::vector<std::int32_t> position_;  // by node
    std::vector<Frame> stack_;
};

// The sums below each position, and what goes with it: for every position i, `total` of the subtree, and in `cut` the
// subtrees that lose every root when i fails. Row-major [positions, columns]; `total` starts with each node's own.
inline void sum_subtrees(const LowLink& tree, std::size_t columns, std::span<double> total, std::span<double> cut) {
    for (auto i = static_cast<std::size_t>(tree.reached()); i-- > 0;) {
        if (tree.parent[i] < 0) continue;
        const auto above = static_cast<std::size_t>(tree.parent[i]);
        for (std::size_t c = 0; c < columns; ++c) total[above * columns + c] += total[i * columns + c];
        if (tree.low[i] < tree.parent[i]) continue;
        for (std::size_t c = 0; c < columns; ++c) cut[above * columns + c] += total[i * columns + c];
    }
}

}  // namespace tiertwin
