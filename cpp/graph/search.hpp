// The one search under paths, ECMP and partition: label-setting from a root, with the queue and the link cost as types.
//
//   distance[v] = min over arcs (u -> v) of distance[u] + cost(arc)            (Dijkstra 1959; Heap4 or Fifo as queue)
//
// Order of settling  Heap4: by (distance, node id), whatever the heap looks like inside; Fifo: by discovery, for unit
//                    costs only. Both are functions of the graph alone, so ties never depend on the machine.
// Thread safety      the caller owns all state that is passed in.
// Costs              O((nodes + links) log nodes) with Heap4, O(nodes + links) with Fifo; no allocation but the
// queue's.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "graph/graph.hpp"
#include "graph/overlay.hpp"

namespace tiertwin {

inline constexpr double kUnreachable = std::numeric_limits<double>::infinity();

// What an arc costs. `kUnreachable` takes it away.
struct WeightCost {
    double operator()(const Arc& arc) const { return arc.weight; }
};
struct HopCost {
    double operator()(const Arc&) const { return 1.0; }
};
template <typename Cost>
struct OverlaidCost {
    const Overlay& overlay;
    Cost cost{};
    double operator()(const Arc& arc) const {
        const LinkId link{arc.link};
        if (!overlay.has(link) || !overlay.has(NodeId{arc.head})) return kUnreachable;
        if constexpr (std::is_same_v<Cost, WeightCost>) return arc.weight * overlay.factor(link);
        return cost(arc);
    }
};

struct QueueItem {
    double key;  // a distance, never below 0
    std::int32_t node;
    // As one unsigned number, key first: the bits of numbers from 0 up are in the order of the numbers. No branch.
    bool operator<(const QueueItem& other) const { return ordered() < other.ordered(); }
    __extension__ typedef unsigned __int128 Ordered;
    [[nodiscard]] Ordered ordered() const {
        return Ordered{std::bit_cast<std::uint64_t>(key)} << 32 | static_cast<std::uint32_t>(node);
    }
};

// By key alone: for searches whose answer does not depend on the order of ties.
struct NearerKey {
    bool operator()(const QueueItem& a, const QueueItem& b) const { return a.key < b.key; }
};

// A 4-ary heap: half the depth of a binary one, and four children share a cache line. Improved nodes are pushed again
// and their old items skipped when popped: cheaper than keeping every node's place in the heap up to date.
template <typename Nearer = std::less<QueueItem>>
class HeapOf4 {
  public:
    [[nodiscard]] bool empty() const { return items_.empty(); }
    void clear() { items_.clear(); }
    [[nodiscard]] std::span<const QueueItem> rest() const { return items_; }
    // Items likely to be popped soon: the root and its children.
    [[nodiscard]] std::span<const QueueItem> upcoming() const {
        return rest().first(std::min<std::size_t>(items_.size(), 5));
    }

    void push(QueueItem item) {
        items_.push_back(item);
        rise(items_.size() - 1, item);
    }

    QueueItem pop() {
        const QueueItem top = items_.front(), last = items_.back();
        items_.pop_back();
        if (!items_.empty()) sink(last);
        return top;
    }

  private:
    static bool nearer(const QueueItem& a, const QueueItem& b) { return Nearer{}(a, b); }
    // The least of the children from `first` on; two rounds of a knock-out where there are four.
    [[nodiscard]] std::size_t least(std::size_t first, std::size_t size) const {
        const QueueItem* item = items_.data();
        if (first + 4 <= size) {
            const std::size_t left = first + std::size_t{nearer(item[first + 1], item[first])};
            const std::size_t right = first + 2 + std::size_t{nearer(item[first + 3], item[first + 2])};
            return nearer(item[right], item[left]) ? right : left;
        }
        std::size_t best = first;
        for (std::size_t child = first + 1; child < size; ++child)
            if (nearer(item[child], item[best])) best = child;
        return best;
    }

    // The last item nearly always belongs to the bottom: lift the lesser children all the way, then let it rise from
    // there. That spares a comparison a level, and its branch (Wegener 1993).
    void sink(QueueItem item) {
        std::size_t hole = 0;
        for (std::size_t first = 1; first < items_.size(); first = 4 * hole + 1) {
            const std::size_t best = least(first, items_.size());
            items_[hole] = items_[best];
            hole = best;
        }
        rise(hole, item);
    }

    void rise(std::size_t hole, QueueItem item) {
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / 4;
            if (!nearer(item, items_[parent])) break;
            items_[hole] = items_[parent];
            hole = parent;
        }
        items_[hole] = item;
    }

    std::vector<QueueItem> items_;
};
using Heap4 = HeapOf4<>;

// First in, first out: with unit costs the front is always the nearest.
class Fifo {
  public:
    [[nodiscard]] bool empty() const { return front_ == items_.size(); }
    void clear() {
        items_.clear();
        front_ = 0;
    }
    [[nodiscard]] std::span<const QueueItem> rest() const { return std::span(items_).subspan(front_); }
    [[nodiscard]] std::span<const QueueItem> upcoming() const {
        return rest().first(std::min<std::size_t>(rest().size(), 4));
    }
    void push(QueueItem item) { items_.push_back(item); }
    QueueItem pop() { return items_[front_++]; }

  private:
    std::vector<QueueItem> items_;
    std::size_t front_ = 0;
};

// Brings both ends of a row into the cache (four arcs may straddle two lines).
inline void fetch(std::span<const Arc> row) {
    if (row.empty()) return;
    __builtin_prefetch(&row.front());
    __builtin_prefetch(&row.back());
}

// Settle what the queue leads to, until `settled(node)` returns false or no node is left.
//
// `arcs(node)` gives the row to relax. The queue holds nodes with their `distance`; a node that the search can meet and
// that has none yet must be at kUnreachable with `via` -1. via[v] becomes the lowest link id among the links on a
// shortest path into v whose tail is strictly nearer than v; a link that adds nothing (weight 0, or lost in rounding)
// is taken only where there is no such link, so that following `via` always ends where the search began.
template <typename Queue, typename Rows, typename Cost, typename Link, typename Settled>
void settle_queued(const Rows& arcs, const Cost& cost, std::span<double> distance, std::span<Link> via, Queue& queue,
                   Settled&& settled) {
    while (!queue.empty()) {
        const QueueItem item = queue.pop();
        if (item.key > distance[static_cast<std::size_t>(item.node)]) continue;  // improved since it was pushed
        if (!settled(NodeId{item.node})) return;
        // Rows lie anywhere in memory; asking for the next ones now hides a third of the run time at 10^5 nodes.
        for (const QueueItem& next : queue.upcoming()) fetch(arcs(NodeId{next.node}));
        for (const Arc& arc : arcs(NodeId{item.node})) {
            const auto v = static_cast<std::size_t>(arc.head);
            const double reach = item.key + cost(arc);
            if (reach < distance[v]) {
                distance[v] = reach;
                via[v] = arc.link;
                queue.push({reach, arc.head});
            } else if (reach == distance[v] && reach > item.key && arc.link < via[v]) {
                via[v] = arc.link;
            }
        }
    }
}

// The same from one root.
template <typename Queue, typename Rows, typename Cost, typename Link, typename Settled>
void settle_from(NodeId root, const Rows& arcs, const Cost& cost, std::span<double> distance, std::span<Link> via,
                 Queue& queue, Settled&& settled) {
    distance[static_cast<std::size_t>(root.value)] = 0.0;
    queue.push({0.0, static_cast<std::int32_t>(root.value)});
    settle_queued(arcs, cost, distance, via, queue, settled);
}

}  // namespace tiertwin
