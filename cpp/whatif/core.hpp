// The part of a network that failure scenarios play in: everything that cannot fail in them and hangs on one node is
// folded into that node, weights and all, so that 10^5 devices on 50 core nodes cost no more than 50 nodes.
//
// What is down already, and what reaches no root to begin with, is left out. The elements that may fail are known by
// their place in `Elements`: cables first, then nodes.
//
// Thread safety  immutable once built: share it between threads, each with its own `CoreSearch`.
// Costs          O(nodes + links) to build.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/cuts.hpp"
#include "graph/low_link.hpp"

namespace tiertwin {

// What may fail: cables and nodes, each once.
struct Elements {
    std::span<const index_t> cables, nodes;
    [[nodiscard]] std::size_t size() const { return cables.size() + nodes.size(); }
};

class Core {
  public:
    // Throws InvalidArgument naming the first bad root, weight or element.
    Core(const Cables& cables, const Overlay* overlay, std::span<const index_t> roots, const NodeWeights& weights,
         const Elements& elements);

    [[nodiscard]] std::int32_t nodes() const { return static_cast<std::int32_t>(first_.size()) - 1; }
    [[nodiscard]] std::size_t columns() const { return columns_; }
    [[nodiscard]] std::size_t elements() const { return element_node_.size(); }
    [[nodiscard]] std::span<const Cables::End> ends(std::int32_t node) const {
        const auto u = static_cast<std::size_t>(node);
        return {ends_.data() + first_[u], static_cast<std::size_t>(first_[u + 1] - first_[u])};
    }
    [[nodiscard]] std::span<const std::int32_t> rows() const { return first_; }
    [[nodiscard]] std::span<const Cables::End> ends() const { return ends_; }
    [[nodiscard]] std::span<const std::int32_t> roots() const { return roots_; }
    // Weights of a core node and all that is folded into it.
    [[nodiscard]] std::span<const double> weights(std::int32_t node) const {
        return std::span(weight_).subspan(static_cast<std::size_t>(node) * columns_, columns_);
    }
    // The core node or cable (numbered as in the network) an element is; -1: it is no part of the core.
    [[nodiscard]] std::int32_t node_of(std::size_t element) const { return element_node_[element]; }
    [[nodiscard]] std::int32_t cable_of(std::size_t element) const { return element_cable_[element]; }
    // By cable of the network: its element, -1 if it cannot fail. The same by core node.
    [[nodiscard]] std::int32_t element_of_cable(std::int32_t cable) const {
        return cable_element_[static_cast<std::size_t>(cable)];
    }
    [[nodiscard]] std::int32_t element_of_node(std::int32_t node) const {
        return node_element_[static_cast<std::size_t>(node)];
    }

  private:
    struct View;  // the network as the overlay leaves it
    void fold(const View& view, const NodeWeights& weights, std::span<const std::int32_t> roots,
              std::vector<std::uint8_t> keep);
    void number(const View& view, std::span<const std::int32_t> into, std::span<const std::int32_t> roots);

    std::size_t columns_;
    std::vector<std::int32_t> first_, roots_, core_of_, node_of_;
    std::vector<Cables::End> ends_;
    std::vector<double> weight_;
    std::vector<std::int32_t> element_node_, element_cable_, cable_element_, node_element_;
};

}  // namespace tiertwin
