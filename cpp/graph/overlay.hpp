// A what-if view of a graph: failed links and nodes (masks) and weight multipliers. The graph itself is not copied.
//
// Thread safety  externally synchronised: one thread owns it; searches only read it.
// Costs          at most 9 bytes a link and 1 a node, taken at the first failure or multiplier of its kind.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/graph.hpp"

namespace tiertwin {

class Overlay {
  public:
    explicit Overlay(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {}

    void fail_link(LinkId link);
    void fail_node(NodeId node);  // and with it every link that ends there
    // Multiplies what the weight is now: scaling twice by 2 is scaling by 4. Requires factor >= 0 and a finite product.
    void scale_weight(LinkId link, double factor);
    void restore_link(LinkId link);  // undoes fail_link, keeps the multiplier
    void restore_node(NodeId node);

    [[nodiscard]] const std::shared_ptr<const Graph>& graph() const { return graph_; }
    [[nodiscard]] bool has(NodeId node) const {
        return node_failed_.empty() || !node_failed_[static_cast<std::size_t>(node.value)];
    }
    // The link is up (its ends are asked separately).
    [[nodiscard]] bool has(LinkId link) const {
        return link_failed_.empty() || !link_failed_[static_cast<std::size_t>(link.value)];
    }
    [[nodiscard]] double factor(LinkId link) const {
        return factor_.empty() ? 1.0 : factor_[static_cast<std::size_t>(link.value)];
    }

  private:
    std::shared_ptr<const Graph> graph_;
    std::vector<std::uint8_t> link_failed_, node_failed_;  // empty: none failed
    std::vector<double> factor_;                           // empty: all 1
};

}  // namespace tiertwin
