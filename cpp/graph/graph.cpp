#include "graph/graph.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "base/infinity.hpp"

namespace tiertwin {
namespace {

constexpr std::size_t kAhead = 16;  // links: where an arc goes is asked for before it is its turn
constexpr index_t kMost = std::numeric_limits<std::int32_t>::max() - 1;

std::string node_range(index_t nodes) {
    return nodes == 0 ? "the graph has no nodes" : "nodes are 0.." + std::to_string(nodes - 1);
}

[[noreturn]] void refuse_link(index_t link, index_t tail, index_t head, double weight, index_t nodes) {
    const std::string name = "link " + std::to_string(link);
    const auto bad = [nodes](index_t node) { return node < 0 || node >= nodes; };
    if (bad(tail)) throw InvalidArgument(name + " leaves node " + std::to_string(tail) + ", but " + node_range(nodes));
    if (bad(head)) throw InvalidArgument(name + " enters node " + std::to_string(head) + ", but " + node_range(nodes));
    throw InvalidArgument(name + " has weight " + std::to_string(weight) + "; expected a finite weight >= 0");
}

}  // namespace

Graph::Graph(index_t nodes, std::span<const index_t> tails, std::span<const index_t> heads,
             std::span<const double> weights)
    : nodes_(nodes) {
    const std::size_t links = tails.size();
    if (nodes < 0 || nodes > kMost)
        throw InvalidArgument("expected 0.." + std::to_string(kMost) + " nodes, got " + std::to_string(nodes));
    if (static_cast<index_t>(links) > kMost)
        throw InvalidArgument("expected fewer than 2^31 links, got " + std::to_string(links));
    if (heads.size() != links || weights.size() != links)
        throw InvalidArgument("expected one tail, head and weight a link, got " + std::to_string(links) + " tails, " +
                              std::to_string(heads.size()) + " heads and " + std::to_string(weights.size()) +
                              " weights");
    const auto bound = static_cast<std::uint64_t>(nodes);
    const auto fits = [bound](index_t node) {
        return static_cast<std::uint64_t>(node) < bound;
    };  // negative wraps high
    tail_.resize(links);
    head_.resize(links);
    for (std::size_t l = 0; l < links; ++l) {
        if (!fits(tails[l]) || !fits(heads[l]) || !(weights[l] >= 0 && weights[l] < kInfinity))
            refuse_link(static_cast<index_t>(l), tails[l], heads[l], weights[l], nodes);
        tail_[l] = static_cast<std::int32_t>(tails[l]);
        head_[l] = static_cast<std::int32_t>(heads[l]);
    }
    weight_.assign(weights.begin(), weights.end());
    out_ = sort_by(tail_, head_);
}

Graph::Rows Graph::sort_by(std::span<const std::int32_t> from, std::span<const std::int32_t> to) const {
    const auto nodes = static_cast<std::size_t>(nodes_);
    const std::size_t links = from.size();
    Rows rows{std::vector<std::int32_t>(nodes + 1), std::make_unique_for_overwrite<Arc[]>(links)};
    // Count into the next slot, add up, then let each row's start walk to its end while the links are dealt out: the
    // starts end up shifted by one row, which the last line undoes.
    for (const std::int32_t u : from) ++rows.first[static_cast<std::size_t>(u)];
    std::int32_t sum = 0;
    for (std::int32_t& count : rows.first) {
        const std::int32_t here = count;
        count = sum;
        sum += here;
    }
    for (std::size_t l = 0; l < links; ++l) {
        if (l + kAhead < links)
            __builtin_prefetch(rows.arcs.get() + rows.first[static_cast<std::size_t>(from[l + kAhead])], 1);
        const std::int32_t slot = rows.first[static_cast<std::size_t>(from[l])]++;
        rows.arcs[static_cast<std::size_t>(slot)] = {weight_[l], to[l], static_cast<std::int32_t>(l)};
    }
    std::shift_right(rows.first.begin(), rows.first.end(), 1);
    rows.first.front() = 0;
    return rows;
}

const Graph::Rows& Graph::incoming() const {
    std::call_once(in_->once, [this] { in_->rows = sort_by(head_, tail_); });
    return in_->rows;
}

void Graph::require(NodeId node, const char* what) const {
    if (node.value < 0 || node.value >= nodes_)
        throw InvalidArgument(std::string(what) + " is " + std::to_string(node.value) + ", but " + node_range(nodes_));
}

void Graph::require(LinkId link) const {
    if (link.value < 0 || link.value >= link_count())
        throw InvalidArgument("link is " + std::to_string(link.value) + ", but the graph has " +
                              std::to_string(link_count()) + " links (numbered from 0)");
}

LinkId GraphBuilder::add_link(NodeId tail, NodeId head, double weight) {
    tails_.push_back(tail.value);
    heads_.push_back(head.value);
    weights_.push_back(weight);
    return {static_cast<index_t>(tails_.size()) - 1};
}

void GraphBuilder::add_both(NodeId a, NodeId b, double weight) {
    add_link(a, b, weight);
    add_link(b, a, weight);
}

std::shared_ptr<const Graph> GraphBuilder::build() const {
    return std::make_shared<const Graph>(nodes_, tails_, heads_, weights_);
}

}  // namespace tiertwin
