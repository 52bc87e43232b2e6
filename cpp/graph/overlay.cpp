#include "graph/overlay.hpp"

#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin {
namespace {

template <typename T>
void mark(std::vector<T>& marks, index_t size, index_t where, T value, T otherwise) {
    if (marks.empty()) marks.assign(static_cast<std::size_t>(size), otherwise);
    marks[static_cast<std::size_t>(where)] = value;
}

}  // namespace

void Overlay::fail_link(LinkId link) {
    graph_->require(link);
    mark<std::uint8_t>(link_failed_, graph_->link_count(), link.value, 1, 0);
}

void Overlay::fail_node(NodeId node) {
    graph_->require(node, "node");
    mark<std::uint8_t>(node_failed_, graph_->node_count(), node.value, 1, 0);
}

void Overlay::restore_link(LinkId link) {
    graph_->require(link);
    mark<std::uint8_t>(link_failed_, graph_->link_count(), link.value, 0, 0);
}

void Overlay::restore_node(NodeId node) {
    graph_->require(node, "node");
    mark<std::uint8_t>(node_failed_, graph_->node_count(), node.value, 0, 0);
}

void Overlay::scale_weight(LinkId link, double factor) {
    graph_->require(link);
    const double product = this->factor(link) * factor;
    if (!(factor >= 0) || !std::isfinite(product * graph_->weight(link)) || !std::isfinite(product))
        throw InvalidArgument("weight of link " + std::to_string(link.value) + " scaled by " + std::to_string(factor) +
                              "; expected a factor >= 0 and a finite weight (to take a link away, use fail_link)");
    mark(factor_, graph_->link_count(), link.value, product, 1.0);
}

}  // namespace tiertwin
