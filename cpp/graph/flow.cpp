#include "graph/flow.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"
#include "graph/cables.hpp"

namespace tiertwin {
namespace {

// One direction of a pair of opposite links (either may be missing: capacity 0).
struct Channel {
    double left;  // capacity that is not used
    std::int32_t head;
    std::int32_t back;  // the other direction
};

class Dinic {
  public:
    Dinic(const Graph& graph, const Overlay* overlay, std::span<const double> capacity)
        : graph_(graph), overlay_(overlay), capacity_(capacity), level_(at(graph.node_count())) {
        build();
    }

    double run(NodeId source, NodeId target) {
        source_ = static_cast<std::int32_t>(source.value);
        target_ = static_cast<std::int32_t>(target.value);
        double value = 0.0;
        while (find_levels()) {
            next_.assign(first_.begin(), first_.end() - 1);
            value += block();
        }
        return value;
    }

    [[nodiscard]] double flow(std::size_t link) const {
        const std::int32_t channel = of_link_[link];
        return channel < 0 ? 0.0 : std::max(0.0, capacity_[link] - channel_[at(channel)].left);
    }
    // After `run`: the target cannot be reached from here.
    [[nodiscard]] bool cut_off(std::size_t node) const { return level_[node] < 0; }

  private:
    [[nodiscard]] bool usable(std::size_t link) const {
        const std::int32_t tail = graph_.tails()[link], head = graph_.heads()[link];
        if (tail == head || capacity_[link] == 0.0) return false;
        return overlay_ == nullptr || (overlay_->has(LinkId{static_cast<index_t>(link)}) &&
                                       overlay_->has(NodeId{tail}) && overlay_->has(NodeId{head}));
    }

    // Channels by tail, those of a node in one row. The later of two opposite links shares the channels of the first.
    void build() {
        const std::size_t links = at(graph_.link_count());
        const std::vector<std::int32_t> mate = opposite_links(graph_);
        std::vector<std::uint8_t> use(links);
        for (std::size_t l = 0; l < links; ++l) use[l] = usable(l);
        const auto shares = [&](std::size_t l) { return mate[l] >= 0 && at(mate[l]) < l && use[at(mate[l])]; };
        first_.assign(level_.size() + 1, 0);
        for (std::size_t l = 0; l < links; ++l)
            if (use[l] && !shares(l)) {
                ++first_[at(graph_.tails()[l]) + 1];
                ++first_[at(graph_.heads()[l]) + 1];
            }
        for (std::size_t u = 1; u < first_.size(); ++u) first_[u] += first_[u - 1];
        channel_.resize(at(first_.back()));
        of_link_.assign(links, -1);
        std::vector<std::int32_t> slot(first_.begin(), first_.end() - 1);
        for (std::size_t l = 0; l < links; ++l) {
            if (!use[l]) continue;
            if (shares(l)) {
                of_link_[l] = channel_[at(of_link_[at(mate[l])])].back;
                channel_[at(of_link_[l])].left = capacity_[l];
                continue;
            }
            const std::int32_t tail = graph_.tails()[l], head = graph_.heads()[l];
            const std::int32_t there = slot[at(tail)]++, back = slot[at(head)]++;
            channel_[at(there)] = {capacity_[l], head, back};
            channel_[at(back)] = {0.0, tail, there};
            of_link_[l] = there;
        }
    }

    // Links to the target over channels with capacity left, as far as the source; false if it is not reached.
    bool find_levels() {
        std::ranges::fill(level_, -1);
        level_[at(target_)] = 0;
        open_.assign(1, target_);
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const std::int32_t node = open_[i];
            if (node == source_) return true;
            for (std::int32_t c = first_[at(node)]; c < first_[at(node) + 1]; ++c) {
                const Channel& out = channel_[at(c)];
                if (level_[at(out.head)] >= 0 || channel_[at(out.back)].left <= 0.0) continue;
                level_[at(out.head)] = level_[at(node)] + 1;
                open_.push_back(out.head);
            }
        }
        return false;
    }

    // Fills ways that go down a level a link until there is none; returns what they carry.
    double block() {
        double total = 0.0;
        way_.clear();
        std::int32_t node = source_;
        while (true) {
            if (node == target_) {
                total += push();
                node = way_.empty() ? source_ : channel_[at(way_.back())].head;
                continue;
            }
            std::int32_t& c = next_[at(node)];
            const std::int32_t end = first_[at(node) + 1], below = level_[at(node)] - 1;
            while (c < end && (channel_[at(c)].left <= 0.0 || level_[at(channel_[at(c)].head)] != below)) ++c;
            if (c < end) {
                way_.push_back(c);
                node = channel_[at(c)].head;
                continue;
            }
            if (node == source_) return total;
            level_[at(node)] = kSpent;  // leads nowhere any more
            way_.pop_back();
            node = way_.empty() ? source_ : channel_[at(way_.back())].head;
        }
    }

    // Sends what fits along the way and keeps of it the part before the first channel that is full now.
    double push() {
        double fits = std::numeric_limits<double>::infinity();
        for (const std::int32_t c : way_) fits = std::min(fits, channel_[at(c)].left);
        std::size_t keep = way_.size();
        for (std::size_t i = way_.size(); i-- > 0;) {
            Channel& channel = channel_[at(way_[i])];
            channel.left -= fits;
            channel_[at(channel.back)].left += fits;
            if (channel.left <= 0.0) keep = i;
        }
        way_.resize(keep);
        return fits;
    }

    static constexpr std::int32_t kSpent = std::numeric_limits<std::int32_t>::max();
    const Graph& graph_;
    const Overlay* overlay_;
    std::span<const double> capacity_;
    std::int32_t source_ = -1, target_ = -1;
    std::vector<std::int32_t> first_;  // by node, one more
    std::vector<Channel> channel_;
    std::vector<std::int32_t> of_link_;  // by link: its channel, -1 if it carries nothing
    std::vector<std::int32_t> level_, next_, open_, way_;
};

void check(const Graph& graph, NodeId source, NodeId target, std::span<const double> capacity) {
    graph.require(source, "source");
    graph.require(target, "target");
    if (source == target)
        throw InvalidArgument("source and target are both node " + std::to_string(source.value) +
                              "; expected two nodes");
    if (static_cast<index_t>(capacity.size()) != graph.link_count())
        throw InvalidArgument("expected one capacity a link (" + std::to_string(graph.link_count()) + "), got " +
                              std::to_string(capacity.size()));
    for (std::size_t l = 0; l < capacity.size(); ++l)
        if (!(capacity[l] >= 0 && capacity[l] < std::numeric_limits<double>::infinity()))
            throw InvalidArgument("link " + std::to_string(l) + " has capacity " + std::to_string(capacity[l]) +
                                  "; expected a finite capacity >= 0");
}

}  // namespace

MaxFlow max_flow(const Graph& graph, const Overlay* overlay, NodeId source, NodeId target,
                 std::span<const double> capacity) {
    check(graph, source, target, capacity);
    MaxFlow result;
    Dinic dinic(graph, overlay, capacity);
    result.value = dinic.run(source, target);
    result.flow.resize(capacity.size());
    for (std::size_t l = 0; l < capacity.size(); ++l) result.flow[l] = dinic.flow(l);
    const auto up = [overlay](auto id) { return overlay == nullptr || overlay->has(id); };
    result.source_side.resize(at(graph.node_count()));
    for (std::size_t v = 0; v < result.source_side.size(); ++v)
        result.source_side[v] = dinic.cut_off(v) && up(NodeId{static_cast<index_t>(v)});
    const auto inside = [&](std::int32_t node) { return result.source_side[at(node)] != 0; };
    for (std::size_t l = 0; l < capacity.size(); ++l) {
        const LinkId link{static_cast<index_t>(l)};
        const std::int32_t head = graph.heads()[l];
        if (up(link) && up(NodeId{head}) && inside(graph.tails()[l]) && !inside(head)) result.cut.push_back(link);
    }
    return result;
}

}  // namespace tiertwin
