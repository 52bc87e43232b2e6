#include "whatif/core.hpp"

#include <string>

#include "base/error.hpp"
#include "base/index.hpp"
#include "graph/peel.hpp"

namespace tiertwin {
namespace {

void once(std::vector<std::int32_t>& element, index_t id, std::size_t number, const char* what) {
    if (element[at(id)] >= 0)
        throw InvalidArgument(std::string(what) + " " + std::to_string(id) +
                              " is named twice; expected each element once");
    element[at(id)] = static_cast<std::int32_t>(number);
}

}  // namespace

struct Core::View {
    const Cables& cables;
    const Overlay* overlay;
    std::vector<std::uint8_t> down = cables.down(overlay);

    [[nodiscard]] bool has(std::int32_t node) const { return overlay == nullptr || overlay->has(NodeId{node}); }
    template <typename Take>
    void each(std::int32_t node, const Take& take) const {
        if (!has(node)) return;
        for (const Cables::End& end : cables.ends(cables.place(node)))
            if (const std::int32_t head = cables.node_at(end.head); (down.empty() || !down[at(end.cable)]) && has(head))
                take(Cables::End{head, end.cable});
    }
};

Core::Core(const Cables& cables, const Overlay* overlay, std::span<const index_t> roots, const NodeWeights& weights,
           const Elements& elements)
    : columns_(at(weights.columns)), cable_element_(at(cables.count()), -1) {
    const Graph& graph = *cables.graph();
    const std::vector<std::int32_t> checked = checked_roots(graph, roots);
    require_weights(graph, weights);
    const View view{cables, overlay};
    std::vector<std::int32_t> of_node(at(graph.node_count()), -1);
    std::vector<std::uint8_t> keep(of_node.size(), 0);
    for (const std::int32_t root : checked) keep[at(root)] = 1;
    for (std::size_t e = 0; e < elements.size(); ++e) {
        if (e < elements.cables.size()) {
            const index_t cable = elements.cables[e];
            cables.require(cable);
            once(cable_element_, cable, e, "cable");
            const auto [a, b] = cables.nodes(cable);
            keep[at(a.value)] = keep[at(b.value)] = 1;
        } else {
            const index_t node = elements.nodes[e - elements.cables.size()];
            graph.require(NodeId{node}, "node");
            once(of_node, node, e, "node");
            keep[at(node)] = 1;
        }
    }
    fold(view, weights, checked, std::move(keep));
    element_cable_.assign(elements.size(), -1);
    element_node_.assign(elements.size(), -1);
    for (std::size_t e = 0; e < elements.cables.size(); ++e)
        element_cable_[e] = static_cast<std::int32_t>(elements.cables[e]);
    node_element_.assign(at(nodes()), -1);
    for (std::size_t i = 0; i < elements.nodes.size(); ++i) {
        const std::size_t e = elements.cables.size() + i;
        element_node_[e] = core_of_[at(elements.nodes[i])];
        if (element_node_[e] >= 0) node_element_[at(element_node_[e])] = static_cast<std::int32_t>(e);
    }
}

void Core::fold(const View& view, const NodeWeights& weights, std::span<const std::int32_t> roots,
                std::vector<std::uint8_t> keep) {
    const auto each = [&view](std::int32_t node, const auto& visit) {
        view.each(node, [&](const Cables::End& end) { visit(end.head); });
    };
    const Peeled peeled = peel(view.cables.node_count(), each, [&](std::int32_t node) { return keep[at(node)] != 0; });
    std::vector<double> all(weights.value.begin(), weights.value.end());
    for (const std::int32_t node : peeled.order)
        for (std::size_t c = 0; c < columns_; ++c)
            all[at(peeled.into[at(node)]) * columns_ + c] += all[at(node) * columns_ + c];
    number(view, peeled.into, roots);
    weight_.reserve(node_of_.size() * columns_);
    for (const std::int32_t node : node_of_)
        for (std::size_t c = 0; c < columns_; ++c) weight_.push_back(all[at(node) * columns_ + c]);
}

// Numbers what the roots reach, breadth first, and copies its rows.
void Core::number(const View& view, std::span<const std::int32_t> into, std::span<const std::int32_t> roots) {
    core_of_.assign(into.size(), -1);
    const auto meet = [&](std::int32_t node) {
        if (core_of_[at(node)] >= 0 || into[at(node)] >= 0) return;
        core_of_[at(node)] = static_cast<std::int32_t>(node_of_.size());
        node_of_.push_back(node);
    };
    for (const std::int32_t root : roots)
        if (view.has(root)) {
            meet(root);
            roots_.push_back(core_of_[at(root)]);
        }
    for (std::size_t i = 0; i < node_of_.size(); ++i)
        view.each(node_of_[i], [&](const Cables::End& end) { meet(end.head); });
    first_.assign(1, 0);
    for (const std::int32_t node : node_of_) {
        view.each(node, [&](const Cables::End& end) {
            if (core_of_[at(end.head)] >= 0) ends_.push_back({core_of_[at(end.head)], end.cable});
        });
        first_.push_back(static_cast<std::int32_t>(ends_.size()));
    }
}

}  // namespace tiertwin
