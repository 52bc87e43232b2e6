// The network with directions ignored: cables between nodes, each of one link or of several that fail together.
//
//   ends(place of u) = { (place of v, cable) : the cable joins u and v }
//
// Nodes stand at *places*, numbered depth first from node 0 on, so that a search that follows cables finds what it asks
// for in the cache however the nodes are numbered, and from wherever it begins.
//
// A cable and its way back are two links of a `Graph`; whoever cuts the cable takes both. Unless told otherwise the
// i-th link a -> b and the i-th link b -> a (in link order) are one cable, what is left over stands alone, and cables
// are numbered by their lowest link. Parallel cables stay apart; a loop is a cable that no node sees.
//
// Requires       with `cable`: numbers 0..count-1, each used, all links of a cable between the same two nodes.
// Costs          O(nodes + links) once; 8 bytes an end, 4 a link and 12 a node.
// Thread safety  immutable: share it freely between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/overlay.hpp"

namespace tiertwin {

// For every link the one it is paired with as above, or -1.
[[nodiscard]] std::vector<std::int32_t> opposite_links(const Graph& graph);

class Cables {
  public:
    struct End {
        std::int32_t head, cable;  // the place of the far node
    };

    explicit Cables(std::shared_ptr<const Graph> graph);
    // Throws InvalidArgument naming the first link or cable that is wrong.
    Cables(std::shared_ptr<const Graph> graph, std::span<const index_t> cable);

    [[nodiscard]] const std::shared_ptr<const Graph>& graph() const { return graph_; }
    [[nodiscard]] index_t node_count() const { return graph_->node_count(); }
    [[nodiscard]] index_t count() const { return count_; }
    [[nodiscard]] std::span<const std::int32_t> of_links() const { return of_link_; }  // the cable of every link
    [[nodiscard]] std::int32_t place(std::int32_t node) const { return place_[static_cast<std::size_t>(node)]; }
    [[nodiscard]] std::int32_t node_at(std::int32_t place) const { return node_at_[static_cast<std::size_t>(place)]; }
    [[nodiscard]] std::span<const End> ends(std::int32_t place) const {
        const auto u = static_cast<std::size_t>(place);
        return {ends_.data() + first_[u], static_cast<std::size_t>(first_[u + 1] - first_[u])};
    }
    // The same as rows: the ends at place u are ends()[rows()[u]] .. ends()[rows()[u + 1] - 1].
    [[nodiscard]] std::span<const std::int32_t> rows() const { return first_; }
    [[nodiscard]] std::span<const End> ends() const { return ends_; }
    // Throws InvalidArgument that says which cables exist.
    void require(index_t cable) const;
    // The two nodes of a cable (equal: a loop).
    [[nodiscard]] std::pair<NodeId, NodeId> nodes(index_t cable) const;

    // 1 at the cables none of whose links is up; empty where the overlay is null.
    [[nodiscard]] std::vector<std::uint8_t> down(const Overlay* overlay) const;

  private:
    void build();
    void join();       // which links are one cable, checked
    void fill_rows();  // by node
    void settle();     // by place

    std::shared_ptr<const Graph> graph_;
    index_t count_ = 0;
    std::vector<std::int32_t> of_link_;
    std::vector<std::int32_t> link_;  // by cable: its lowest link
    std::vector<std::int32_t> place_, node_at_;
    std::vector<std::int32_t> first_;  // by place, one more than nodes
    std::vector<End> ends_;
};

}  // namespace tiertwin
