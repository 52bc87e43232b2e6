// The network: nodes and directed links, built once, then immutable.
//
//   out_arcs(u) = { (head, weight, link) : link u -> head }      in_arcs(u) = { (tail, weight, link) : link tail -> u }
//
// Compressed rows (CSR) made by one counting sort: O(nodes + links), stable, so the arcs of a node are in link order.
// Links are numbered in the order they were given; parallel links and loops are allowed. A change of the network is a
// new `Graph`, a what-if an `Overlay`.
//
// Requires       0 <= tail, head < nodes; weights finite and >= 0; fewer than 2^31 nodes and links.
// Costs          about 16 + 16 bytes a link and 4 a node; the rows of incoming arcs are made at first use.
// Thread safety  immutable: share it freely between threads (the first use of in_arcs is synchronised).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin {

// One link as seen from a node: 16 bytes, so that four arcs of a row share a cache line.
struct Arc {
    double weight;
    std::int32_t head;  // the other end: head in out_arcs, tail in in_arcs
    std::int32_t link;
};

class Graph {
  public:
    // Compressed rows: the arcs of node u are arcs[first[u]] .. arcs[first[u + 1] - 1].
    struct Rows {
        std::vector<std::int32_t> first;  // by node, one more than nodes
        std::unique_ptr<Arc[]> arcs;      // not a vector: it is written once, and clearing 16 bytes a link first shows
        [[nodiscard]] std::span<const Arc> operator[](NodeId node) const {
            const auto u = static_cast<std::size_t>(node.value);
            return {arcs.get() + first[u], static_cast<std::size_t>(first[u + 1] - first[u])};
        }
    };

    // Throws InvalidArgument naming the first bad link.
    Graph(index_t nodes, std::span<const index_t> tails, std::span<const index_t> heads,
          std::span<const double> weights);

    [[nodiscard]] index_t node_count() const { return nodes_; }
    [[nodiscard]] index_t link_count() const { return static_cast<index_t>(tail_.size()); }
    [[nodiscard]] NodeId tail(LinkId link) const { return {tail_[at(link)]}; }
    [[nodiscard]] NodeId head(LinkId link) const { return {head_[at(link)]}; }
    [[nodiscard]] double weight(LinkId link) const { return weight_[at(link)]; }

    [[nodiscard]] std::span<const Arc> out_arcs(NodeId node) const { return out_[node]; }
    [[nodiscard]] std::span<const Arc> in_arcs(NodeId node) const { return incoming()[node]; }
    // All of them, for a search that asks for many: who comes for the incoming ones first has them sorted.
    [[nodiscard]] const Rows& outgoing() const { return out_; }
    [[nodiscard]] const Rows& incoming() const;
    // The same by link, all at once.
    [[nodiscard]] std::span<const std::int32_t> tails() const { return tail_; }
    [[nodiscard]] std::span<const std::int32_t> heads() const { return head_; }
    [[nodiscard]] std::span<const double> weights() const { return weight_; }

    // Throw InvalidArgument that says which ids exist.
    void require(NodeId node, const char* what) const;
    void require(LinkId link) const;

  private:
    struct Incoming {
        std::once_flag once;
        Rows rows;
    };

    static std::size_t at(LinkId link) { return static_cast<std::size_t>(link.value); }
    Rows sort_by(std::span<const std::int32_t> from, std::span<const std::int32_t> to) const;

    index_t nodes_;
    std::vector<std::int32_t> tail_, head_;  // by link
    std::vector<double> weight_;             // by link
    Rows out_;
    std::unique_ptr<Incoming> in_ = std::make_unique<Incoming>();
};

// Collects links one by one where they do not come as arrays. Link ids count up from 0.
class GraphBuilder {
  public:
    explicit GraphBuilder(index_t nodes) : nodes_(nodes) {}

    LinkId add_link(NodeId tail, NodeId head, double weight);
    // Both directions: link 2l is a -> b and link 2l + 1 is b -> a when nothing else was added.
    void add_both(NodeId a, NodeId b, double weight);
    [[nodiscard]] std::shared_ptr<const Graph> build() const;

  private:
    index_t nodes_;
    std::vector<index_t> tails_, heads_;
    std::vector<double> weights_;
};

}  // namespace tiertwin
