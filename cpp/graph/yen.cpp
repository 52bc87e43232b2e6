#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/index.hpp"
#include "graph/led_search.hpp"
#include "graph/paths.hpp"
#include "graph/two_sided.hpp"

namespace tiertwin {
namespace {

// Bounds are exact for ways up to so many times the shortest. More costs a wider search, less makes worse bounds: on
// plane meshes of 10^3 to 10^5 nodes the fourth path is 1.1 times as long or less in nine cases of ten.
constexpr double kWide = 1.1;

// A path, or what is known of one that was not worked out yet: the part it shares with a path found before.
struct Candidate {
    double length;              // of the path; or a bound below it
    bool whole;                 // else `links` ends at the spur
    std::vector<LinkId> links;  // from the source
    std::size_t deviation;      // how many of them are shared
    // Bounds before paths of the same length: what they hide may come first by its links.
    auto key() const { return std::tie(length, whole, links); }
    bool operator<(const Candidate& other) const { return key() < other.key(); }
};

template <typename Cost>
class Yen {
  public:
    Yen(const Graph& graph, Cost cost, NodeId source, NodeId target)
        : graph_(graph),
          cost_(cost),
          slack_(4 * std::numeric_limits<double>::epsilon() * static_cast<double>(graph.node_count() + 8)),
          source_(source),
          target_(target),
          bounds_(graph),
          blocked_(static_cast<std::size_t>(graph.node_count()), 0) {}

    std::vector<std::vector<LinkId>> first(std::size_t k) {
        if (k == 0) return {};
        if (bounds_.meet(cost_, number(source_), number(target_), kWide).node < 0) return {};
        bounds_.complete(cost_);
        block(source_);
        wait({}, source_, 0.0);
        while (!waiting_.empty() && found_.size() < k) {
            Candidate next = std::move(waiting_.extract(waiting_.begin()).value());
            if (!next.whole) {
                if (work_out(next)) waiting_.insert(std::move(next));
                continue;
            }
            found_.push_back(next.links);
            if (found_.size() < k) branch(next);
        }
        return std::move(found_);
    }

  private:
    struct Step {
        double bound = kUnreachable;   // least cost + bound of the far node
        double second = kUnreachable;  // the next best
        const Arc* arc = nullptr;
    };
    static std::int32_t number(NodeId node) { return static_cast<std::int32_t>(node.value); }

    // No way from here to the target is shorter.
    [[nodiscard]] double bound(std::int32_t node) const { return bounds_.to_target(node); }

    template <typename Open>
    Step best_step(std::int32_t node, const Open& open) const {
        Step best;
        for (const Arc& arc : graph_.out_arcs({node})) {
            if (blocked_[at(arc.head)] || !open(arc.link)) continue;
            const double through = cost_(arc) + bound(arc.head);
            if (through < best.bound) {
                best.second = best.bound;
                best.bound = through;
                best.arc = &arc;
            } else {
                best.second = std::min(best.second, through);
            }
        }
        return best;
    }

    // The next links of the paths found so far that begin with `links`.
    [[nodiscard]] std::vector<std::int32_t> used_after(std::span<const LinkId> links) const {
        std::vector<std::int32_t> used;
        for (const auto& path : found_)
            if (path.size() > links.size() && std::equal(links.begin(), links.end(), path.begin()))
                used.push_back(static_cast<std::int32_t>(path[links.size()].value));
        return used;
    }
    static auto all_but(const std::vector<std::int32_t>& used) {
        return [&used](std::int32_t link) { return std::ranges::find(used, link) == used.end(); };
    }

    // Puts a deviation at `spur`, behind `links`, among what waits. The nodes of `links` and the spur are blocked.
    void wait(std::span<const LinkId> links, NodeId spur, double length) {
        const std::vector<std::int32_t> used = used_after(links);
        const Step step = best_step(number(spur), all_but(used));
        if (step.bound != kUnreachable)
            waiting_.insert(
                {(length + step.bound) * (1.0 - slack_), false, {links.begin(), links.end()}, links.size()});
    }

    // Every path that shares best.links[0 .. i) and leaves it at i >= best.deviation on a link not used there before.
    void branch(const Candidate& best) {
        unblock();
        double length = 0.0;
        NodeId spur = source_;
        for (std::size_t i = 0; i < best.links.size(); ++i) {
            block(spur);
            if (i >= best.deviation) wait(std::span(best.links).first(i), spur, length);
            length += cost_of(best.links[i]);
            spur = graph_.head(best.links[i]);
        }
    }

    // Makes the best path of a deviation; false if there is none.
    bool work_out(Candidate& next) {
        unblock();
        double length = 0.0;
        NodeId spur = source_;
        for (const LinkId link : next.links) {
            block(spur);
            length += cost_of(link);
            spur = graph_.head(link);
        }
        block(spur);
        const std::vector<std::int32_t> used = used_after(next.links);
        next.deviation = next.links.size();
        next.whole = true;
        if (!along_bounds(spur, length, used, next.links)) {
            next.links.resize(next.deviation);
            if (!searched(spur, length, used, next.links)) return false;
        }
        next.length = 0.0;
        for (const LinkId link : next.links) next.length += cost_of(link);
        return true;
    }

    // The way the bounds point: the answer if it is free all along and nowhere another is as short.
    bool along_bounds(NodeId spur, double length, const std::vector<std::int32_t>& used, std::vector<LinkId>& links) {
        Step step = best_step(number(spur), all_but(used));
        const double apart = (length + step.bound) * slack_;
        const auto any = [](std::int32_t) { return true; };
        while (step.arc != nullptr) {
            if (step.second - step.bound <= apart || !bounds_.inside(step.arc->head)) return false;
            links.push_back({step.arc->link});
            const std::int32_t node = step.arc->head;
            if (node == number(target_)) return true;
            const double expected = bound(node);
            step = best_step(node, any);
            if (step.bound > expected + apart) return false;  // its way is blocked
        }
        return false;
    }

    bool searched(NodeId spur, double length, const std::vector<std::int32_t>& used, std::vector<LinkId>& links) {
        if (!led_) led_.emplace(graph_, cost_, slack_);
        return led_->extend(
            spur, length, target_, [this](std::int32_t node) { return bound(node); },
            [this](std::int32_t node) { return !blocked_[at(node)]; }, all_but(used), links);
    }

    [[nodiscard]] double cost_of(LinkId link) const {
        return cost_(Arc{graph_.weight(link), number(graph_.head(link)), static_cast<std::int32_t>(link.value)});
    }
    void block(NodeId node) {
        blocked_[at(number(node))] = 1;
        prefix_.push_back(number(node));
    }
    void unblock() {
        for (const std::int32_t node : prefix_) blocked_[at(node)] = 0;
        prefix_.clear();
    }

    const Graph& graph_;
    Cost cost_;
    double slack_;
    NodeId source_, target_;
    TwoSided bounds_;
    std::vector<std::uint8_t> blocked_;
    std::vector<std::int32_t> prefix_;  // the blocked nodes
    std::optional<LedSearch<Cost>> led_;
    std::set<Candidate> waiting_;
    std::vector<std::vector<LinkId>> found_;
};

}  // namespace

std::vector<std::vector<LinkId>> k_shortest(const std::shared_ptr<const Graph>& graph, const Overlay* overlay,
                                            NodeId source, NodeId target, index_t k) {
    graph->require(source, "source");
    graph->require(target, "target");
    if (k < 0) throw InvalidArgument("k is " + std::to_string(k) + "; expected at least 0");
    const auto most = static_cast<std::size_t>(k);
    if (source == target) return {};
    if (overlay == nullptr) return Yen(*graph, WeightCost{}, source, target).first(most);
    if (!overlay->has(source) || !overlay->has(target)) return {};
    return Yen(*graph, OverlaidCost<WeightCost>{*overlay}, source, target).first(most);
}

}  // namespace tiertwin
