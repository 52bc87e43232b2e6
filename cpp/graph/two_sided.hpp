// Search from a source and from a target at once: under the one shortest path and the bounds of the k shortest.
//
//   meet       both sides settle their nearest nodes in turn until none of theirs can be part of a shorter way (Pohl
//              1971); radius = what the source side has settled by then
//   complete   the target side goes on, inside the ellipse { v : from source + to target <= limit } only
//
// After `complete`, `to_target(v)` is exact in the ellipse and a lower bound outside of it, where
// from source + to target > limit gives to target > limit - min(from source, radius).
//
// Thread safety  one thread owns it. Costs: 32 bytes a node, taken once (both sides' labels of a node share a cache
//                line, as each side asks for the other's); a search clears nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/index.hpp"
#include "graph/search.hpp"

namespace tiertwin {

class TwoSided {
  public:
    enum Side { kSource = 0, kTarget = 1 };
    struct Meeting {
        double length = kUnreachable;
        std::int32_t node = -1;
    };

    explicit TwoSided(const Graph& graph)
        : rows_{&graph.outgoing(), &graph.incoming()}, label_(static_cast<std::size_t>(graph.node_count())) {}

    // `wide`: how much longer than the shortest the ways may be that `complete` will want to know about, as a factor;
    // 1 where only the shortest counts.
    template <typename Cost>
    Meeting meet(const Cost& cost, std::int32_t source, std::int32_t target, double wide) {
        begin(source, target);
        wide_ = wide;
        while (!heap_[kSource].empty() && !heap_[kTarget].empty()) {
            if (top(kSource) + top(kTarget) >= best_.length) break;
            if (top(kSource) <= top(kTarget))
                settle_some<kSource>(cost);
            else
                settle_some<kTarget>(cost);
        }
        radius_ = top(kSource);
        return best_;
    }

    template <typename Cost>
    void complete(const Cost& cost) {
        while (!heap_[kTarget].empty()) settle<kTarget>(cost);
    }

    [[nodiscard]] std::int32_t via(Side side, std::int32_t node) const { return label_[at(node)].via[side]; }
    [[nodiscard]] double limit() const { return best_.length * wide_; }
    // After `complete`: in the ellipse, where `to_target` is exact.
    [[nodiscard]] bool inside(std::int32_t node) const {
        return std::min(distance(kSource, node), radius_) + distance(kTarget, node) <= limit();
    }
    [[nodiscard]] double to_target(std::int32_t node) const {
        const double near = std::min(distance(kSource, node), radius_), rest = distance(kTarget, node);
        return near + rest <= limit() ? rest : std::max(0.0, limit() - near);
    }

  private:
    static constexpr int kTurn = 64;  // nodes a side settles before it looks at the other's: changing sides costs

    struct alignas(32) Label {
        double distance[2];
        std::int32_t via[2];
        std::uint32_t round[2] = {0, 0};
    };

    void begin(std::int32_t source, std::int32_t target) {
        if (++round_ == 0) {  // once in 2^32 searches
            label_.assign(label_.size(), {});
            round_ = 1;
        }
        best_ = {};
        for (auto& heap : heap_) heap.clear();
        put(kSource, source, 0.0, -1);
        put(kTarget, target, 0.0, -1);
    }
    void put(Side side, std::int32_t node, double distance, std::int32_t link) {
        Label& label = label_[at(node)];
        label.distance[side] = distance;
        label.via[side] = link;
        label.round[side] = round_;
        heap_[side].push({distance, node});
    }
    [[nodiscard]] double distance(Side side, std::int32_t node) const {
        const Label& label = label_[at(node)];
        return label.round[side] == round_ ? label.distance[side] : kUnreachable;
    }
    [[nodiscard]] double top(Side side) const {
        return heap_[side].empty() ? kUnreachable : heap_[side].rest().front().key;
    }
    template <Side side>
    [[nodiscard]] std::span<const Arc> row(std::int32_t node) const {
        return (*rows_[side])[{node}];
    }
    // No way through a node with this reach is shorter. Nodes the other side did not settle are no nearer to its end
    // than its nearest one in the queue.
    template <Side side>
    [[nodiscard]] double shortest_through(std::int32_t node, double reach) const {
        constexpr Side other = side == kSource ? kTarget : kSource;
        return reach + std::min(distance(other, node), top(other));
    }

    template <Side side, typename Cost>
    void settle_some(const Cost& cost) {
        constexpr Side other = side == kSource ? kTarget : kSource;
        for (int n = 0; n < kTurn && top(side) + top(other) < best_.length; ++n) settle<side>(cost);
    }

    template <Side side, typename Cost>
    void settle(const Cost& cost) {
        constexpr Side other = side == kSource ? kTarget : kSource;
        const QueueItem item = heap_[side].pop();
        if (item.key > distance(side, item.node)) return;
        for (const QueueItem& next : heap_[side].upcoming()) fetch(row<side>(next.node));
        const std::span<const Arc> arcs = row<side>(item.node);
        for (const Arc& arc : arcs) __builtin_prefetch(&label_[at(arc.head)]);
        for (const Arc& arc : arcs) {
            const double step = side == kSource ? cost(arc) : cost(Arc{arc.weight, item.node, arc.link});
            const double reach = item.key + step, known = distance(side, arc.head);
            if (!(reach < known)) continue;
            const double whole = reach + distance(other, arc.head);
            const bool shorter = whole < best_.length;
            if (shorter) best_ = {whole, arc.head};
            // Outside of the ellipse for good: left without a label, which counts as at the radius or farther. A label
            // that is there is kept up to date: the other side may stand on it.
            if (!shorter && known == kUnreachable && shortest_through<side>(arc.head, reach) > limit()) continue;
            put(side, arc.head, reach, arc.link);
        }
    }

    const Graph::Rows* rows_[2];
    std::vector<Label> label_;
    std::uint32_t round_ = 0;
    HeapOf4<NearerKey> heap_[2];
    Meeting best_;
    double wide_ = 1.0, radius_ = 0.0;
};

}  // namespace tiertwin
