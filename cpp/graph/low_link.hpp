// Depth-first search with low points, from a set of roots, without recursion: the search under the failure sweeps.
//
//   low[i] = the earliest node that the subtree of i reaches over one cable besides its tree        (Tarjan 1972)
//
// All roots hang on one node that cannot fail, at position -1: the subtree of i loses every root when its parent p
// fails iff low[i] >= p, and when the cable above it fails iff low[i] == i. Nodes are numbered by discovery
// ("positions"), in which order every array here stands; the subtree of i is a run of positions that begins at i.
//
// Thread safety  one thread owns a `LowLink`; it is reused from search to search, and reads the rows it was given.
// Costs          O(nodes + cables reached), and clearing what the last search reached.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/index.hpp"
#include "graph/cables.hpp"

namespace tiertwin {

class LowLink {
  public:
    struct Place {
        std::int32_t node;
        std::int32_t parent;  // position; -1 at the roots of trees
        std::int32_t cable;   // to the parent; -1 there
        std::int32_t low;
    };

    // The ends at node u are ends[first[u]] .. ends[first[u + 1] - 1].
    LowLink(std::span<const std::int32_t> first, std::span<const Cables::End> ends) : ends_(ends) {
        node_.reserve(first.size());
        for (const std::int32_t row : first) node_.push_back({row, kNew});
        places_.reserve(first.size());
    }

    // `up(end)` says whether a cable and its far node are up, `alive(node)` whether a root is.
    template <typename Up, typename Alive>
    void search(std::span<const std::int32_t> roots, const Up& up, const Alive& alive) {
        for (const Place& place : places_) node_[at(place.node)].position = kNew;
        places_.clear();
        for (const std::int32_t root : roots)
            if (alive(root)) node_[at(root)].position = kRoot;
        for (const std::int32_t root : roots) {
            if (node_[at(root)].position != kRoot) continue;
            node_[at(root)].position = kNew;  // the first of its tree hangs on the common node by the tree itself
            grow(root, up);
        }
    }

    [[nodiscard]] std::span<const Place> places() const { return places_; }
    [[nodiscard]] bool has(std::int32_t node) const { return node_[at(node)].position >= 0; }

  private:
    static constexpr std::int32_t kNew = -1, kRoot = -2;  // not reached yet; a root not reached yet
    struct Node {                                         // side by side: whoever asks for one needs the other next
        std::int32_t first, position;
    };
    struct Frame {
        const Cables::End *next, *end;
        std::int32_t position, cable, low;
    };

    void open(std::int32_t u, std::int32_t above, std::int32_t by) {
        Node& node = node_[at(u)];
        const auto here = static_cast<std::int32_t>(places_.size());
        const std::int32_t low = node.position == kRoot ? -1 : here;
        node.position = here;
        places_.push_back({u, above, by, low});
        const Cables::End *begin = ends_.data() + node.first, *end = ends_.data() + node_[at(u) + 1].first;
        // Neighbours lie anywhere in memory, and all of them are asked for soon.
        for (const Cables::End* next = begin; next != end; ++next) __builtin_prefetch(&node_[at(next->head)]);
        stack_.push_back({begin, end, here, by, low});
    }

    template <typename Up>
    void grow(std::int32_t root, const Up& up) {
        open(root, -1, -1);
        while (true) {
            Frame& frame = stack_.back();
            if (frame.next == frame.end) {
                const Frame done = frame;
                places_[at(done.position)].low = done.low;
                stack_.pop_back();
                if (stack_.empty()) return;
                stack_.back().low = std::min(stack_.back().low, done.low);
                continue;
            }
            const Cables::End end = *frame.next++;
            if (!up(end) || end.cable == frame.cable) continue;
            if (const std::int32_t there = node_[at(end.head)].position; there < 0)
                open(end.head, frame.position, end.cable);
            else
                frame.low = std::min(frame.low, there);
        }
    }

    std::span<const Cables::End> ends_;
    std::vector<Node> node_;  // one more than nodes
    std::vector<Place> places_;
    std::vector<Frame> stack_;
};

// Adds up the subtrees: `total` comes with each position's own weights, row-major [positions, columns], and leaves with
// those of its subtree. `cut(parent, sums)` is called for each subtree that loses every root when its parent fails.
template <typename Cut>
void sum_subtrees(std::span<const LowLink::Place> places, std::size_t columns, std::span<double> total,
                  const Cut& cut) {
    for (std::size_t i = places.size(); i-- > 0;) {
        if (places[i].parent < 0) continue;
        const auto above = static_cast<std::size_t>(places[i].parent) * columns;
        for (std::size_t c = 0; c < columns; ++c) total[above + c] += total[i * columns + c];
        if (places[i].low >= places[i].parent) cut(places[i].parent, total.subspan(i * columns, columns));
    }
}

}  // namespace tiertwin
