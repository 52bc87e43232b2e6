#include "graph/cables.hpp"

#include <algorithm>
#include <ranges>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/index.hpp"

namespace tiertwin {

std::vector<std::int32_t> opposite_links(const Graph& graph) {
    const auto nodes = at(graph.node_count()), links = at(graph.link_count());
    std::vector<std::int32_t> mate(links, -1), next(links, -1);
    std::vector<std::int32_t> first(nodes, -1), of(nodes, -1);  // waiting links v -> u, by v; of which u they are
    for (index_t u = 0; u < graph.node_count(); ++u) {
        for (const Arc& in : std::views::reverse(graph.in_arcs({u}))) {
            if (in.head <= u) continue;
            const std::size_t v = at(in.head);
            next[at(in.link)] = of[v] == u ? first[v] : -1;
            first[v] = in.link;
            of[v] = static_cast<std::int32_t>(u);
        }
        for (const Arc& out : graph.out_arcs({u})) {
            const std::size_t v = at(out.head);
            if (out.head <= u || of[v] != u || first[v] < 0) continue;
            const std::int32_t back = std::exchange(first[v], next[at(first[v])]);
            mate[at(out.link)] = back;
            mate[at(back)] = out.link;
        }
    }
    return mate;
}

Cables::Cables(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)), of_link_(at(graph_->link_count())) {
    const std::vector<std::int32_t> mate = opposite_links(*graph_);
    for (std::size_t l = 0; l < mate.size(); ++l) {
        const bool seen = mate[l] >= 0 && at(mate[l]) < l;
        of_link_[l] = seen ? of_link_[at(mate[l])] : static_cast<std::int32_t>(count_++);
    }
    build();
}

Cables::Cables(std::shared_ptr<const Graph> graph, std::span<const index_t> cable) : graph_(std::move(graph)) {
    const std::size_t links = at(graph_->link_count());
    if (cable.size() != links)
        throw InvalidArgument("expected one cable a link (" + std::to_string(links) + "), got " +
                              std::to_string(cable.size()));
    of_link_.resize(links);
    for (std::size_t l = 0; l < links; ++l) {
        if (cable[l] < 0 || cable[l] >= static_cast<index_t>(links))
            throw InvalidArgument("cable of link " + std::to_string(l) + " is " + std::to_string(cable[l]) +
                                  "; expected cables numbered from 0, fewer than links");
        of_link_[l] = static_cast<std::int32_t>(cable[l]);
        count_ = std::max(count_, cable[l] + 1);
    }
    build();
}

void Cables::build() {
    join();
    fill_rows();
    settle();
}

void Cables::join() {
    link_.assign(at(count_), -1);
    const auto tails = graph_->tails(), heads = graph_->heads();
    for (std::size_t l = 0; l < of_link_.size(); ++l) {
        std::int32_t& lowest = link_[at(of_link_[l])];
        if (lowest < 0) lowest = static_cast<std::int32_t>(l);
        const std::size_t like = at(lowest);
        if (std::minmax(tails[l], heads[l]) != std::minmax(tails[like], heads[like]))
            throw InvalidArgument("link " + std::to_string(l) + " joins other nodes than link " + std::to_string(like) +
                                  " of the same cable " + std::to_string(of_link_[l]) +
                                  "; for links that fail together elsewhere, use scenarios");
    }
    if (const auto unused = std::ranges::find(link_, -1); unused != link_.end())
        throw InvalidArgument("cable " + std::to_string(unused - link_.begin()) +
                              " has no link; expected cables numbered without gaps");
}

void Cables::fill_rows() {
    const auto tails = graph_->tails(), heads = graph_->heads();
    first_.assign(at(node_count()) + 1, 0);
    const auto each_end = [&](auto&& take) {
        for (std::size_t c = 0; c < link_.size(); ++c) {
            const std::int32_t a = tails[at(link_[c])], b = heads[at(link_[c])];
            if (a == b) continue;
            take(a, End{b, static_cast<std::int32_t>(c)});
            take(b, End{a, static_cast<std::int32_t>(c)});
        }
    };
    std::int32_t total = 0;
    each_end([&](std::int32_t node, End) {
        ++first_[at(node) + 1];
        ++total;
    });
    for (std::size_t u = 1; u < first_.size(); ++u) first_[u] += first_[u - 1];
    ends_.resize(at(total));
    std::vector<std::int32_t> slot(first_.begin(), first_.end() - 1);
    each_end([&](std::int32_t node, End end) { ends_[at(slot[at(node)]++)] = end; });
}

void Cables::settle() {
    const auto row = [this](std::int32_t u) {
        return std::span(ends_).subspan(at(first_[at(u)]), at(first_[at(u) + 1] - first_[at(u)]));
    };
    place_.assign(at(node_count()), -1);
    node_at_.reserve(place_.size());
    std::vector<std::pair<const End*, const End*>> open;
    const auto meet = [&](std::int32_t node) {
        if (place_[at(node)] >= 0) return;
        place_[at(node)] = static_cast<std::int32_t>(node_at_.size());
        node_at_.push_back(node);
        const auto mine = row(node);
        open.emplace_back(mine.data(), mine.data() + mine.size());
    };
    for (std::int32_t start = 0; start < node_count(); ++start)
        for (meet(start); !open.empty();) {
            if (open.back().first == open.back().second)
                open.pop_back();
            else
                meet((open.back().first++)->head);
        }

    std::vector<std::int32_t> first{0};
    std::vector<End> ends;
    first.reserve(first_.size());
    ends.reserve(ends_.size());
    for (const std::int32_t node : node_at_) {
        for (const End& end : row(node)) ends.push_back({place(end.head), end.cable});
        first.push_back(static_cast<std::int32_t>(ends.size()));
    }
    first_ = std::move(first);
    ends_ = std::move(ends);
}

void Cables::require(index_t cable) const {
    if (cable < 0 || cable >= count_)
        throw InvalidArgument("cable is " + std::to_string(cable) + ", but there are " + std::to_string(count_) +
                              " cables (numbered from 0)");
}

std::pair<NodeId, NodeId> Cables::nodes(index_t cable) const {
    const LinkId link{link_[at(cable)]};
    return {graph_->tail(link), graph_->head(link)};
}

std::vector<std::uint8_t> Cables::down(const Overlay* overlay) const {
    if (overlay == nullptr) return {};
    std::vector<std::uint8_t> down(at(count_), 1);
    for (std::size_t l = 0; l < of_link_.size(); ++l)
        if (overlay->has(LinkId{static_cast<index_t>(l)})) down[at(of_link_[l])] = 0;
    return down;
}

}  // namespace tiertwin
