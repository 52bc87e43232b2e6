#include "graph/partition.hpp"

#include <algorithm>
#include <numeric>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "base/index.hpp"
#include "base/random.hpp"
#include "graph/components.hpp"
#include "graph/search.hpp"

namespace tiertwin {
namespace {

constexpr index_t kMostStarts = 16, kFewestStarts = 2;
constexpr index_t kStartNodes = 32'000;  // starts x nodes stays near this: many starts where they are cheap and matter
constexpr double kBalanceSlack = 1.05;   // starts this close to the best balance are compared by the links they cut
constexpr double kEven = 0.01;           // groups closer than this share of the mean are even enough
constexpr int kPasses = 50;              // both refinements end by themselves (each move lowers a sum); a belt
constexpr index_t kSearched = 500;       // nodes looked at to show a group connected without one; more: it stays
constexpr std::uint32_t kPurpose = 0x70617274;  // "part"
constexpr index_t kFree = -1;

// One start: seeds, growth, refinement.
class Start {
  public:
    Start(const Graph& graph, index_t k, std::span<const double> weight)
        : graph_(graph), k_(k), weight_(weight), group_(at(graph.node_count()), kFree), total_(at(k)), size_(at(k)) {}

    void run(index_t from) {
        const std::vector<index_t> seeds = far_apart(from);
        grow(seeds);
        const double mean = std::accumulate(total_.begin(), total_.end(), 0.0) / static_cast<double>(k_);
        for (int pass = 0; pass < kPasses && balance(kEven * mean); ++pass) {
        }
        const double most = heaviest(), least = *std::ranges::min_element(total_);
        for (int pass = 0; pass < kPasses && smooth(least, most); ++pass) {
        }
    }
    [[nodiscard]] double heaviest() const { return *std::ranges::max_element(total_); }
    [[nodiscard]] index_t cut_links() const {
        index_t cut = 0;
        for (std::size_t l = 0; l < graph_.tails().size(); ++l)
            cut += group_[at(graph_.tails()[l])] != group_[at(graph_.heads()[l])];
        return cut;
    }
    [[nodiscard]] std::span<const index_t> groups() const { return group_; }

  private:
    template <typename Visit>
    void neighbours(index_t node, Visit&& visit) const {
        for (const auto arcs : {graph_.out_arcs({node}), graph_.in_arcs({node})})
            for (const Arc& arc : arcs) visit(index_t{arc.head}, arc.weight);
    }

    // Lowers `near` to the distance from `seed` wherever that is shorter.
    void spread(index_t seed, std::vector<double>& near) {
        near[at(seed)] = 0.0;
        heap_.push({0.0, static_cast<std::int32_t>(seed)});
        while (!heap_.empty()) {
            const QueueItem item = heap_.pop();
            if (item.key > near[at(item.node)]) continue;
            neighbours(item.node, [&](index_t v, double weight) {
                if (const double reach = item.key + weight; reach < near[at(v)]) {
                    near[at(v)] = reach;
                    heap_.push({reach, static_cast<std::int32_t>(v)});
                }
            });
        }
    }

    std::vector<index_t> far_apart(index_t from) {
        std::vector<double> near(group_.size(), kUnreachable);
        spread(from, near);
        std::vector<index_t> seeds{std::ranges::max_element(near) - near.begin()};
        std::ranges::fill(near, kUnreachable);
        std::vector<bool> taken(near.size(), false);
        while (taken[at(seeds.back())] = true, static_cast<index_t>(seeds.size()) < k_) {
            spread(seeds.back(), near);
            index_t farthest = kFree;
            for (std::size_t v = 0; v < near.size(); ++v)
                if (!taken[v] && (farthest == kFree || near[v] > near[at(farthest)]))
                    farthest = static_cast<index_t>(v);
            seeds.push_back(farthest);
        }
        return seeds;
    }

    void take(index_t node, index_t group) {
        if (const index_t old = group_[at(node)]; old != kFree) {
            total_[at(old)] -= weight_[at(node)];
            --size_[at(old)];
        }
        group_[at(node)] = group;
        total_[at(group)] += weight_[at(node)];
        ++size_[at(group)];
    }

    void grow(const std::vector<index_t>& seeds) {
        std::vector<Heap4> border(at(k_));
        const auto reach_out = [&](index_t node, double distance, index_t g) {
            neighbours(node, [&](index_t v, double weight) {
                if (group_[at(v)] == kFree) border[at(g)].push({distance + weight, static_cast<std::int32_t>(v)});
            });
        };
        for (index_t g = 0; g < k_; ++g) take(seeds[at(g)], g);
        for (index_t g = 0; g < k_; ++g) reach_out(seeds[at(g)], 0.0, g);
        using Turn = std::tuple<double, index_t, index_t>;  // the lightest, then the smallest, then the first group
        std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
        for (index_t g = 0; g < k_; ++g) turns.emplace(total_[at(g)], size_[at(g)], g);
        while (!turns.empty()) {
            const index_t g = std::get<2>(turns.top());
            turns.pop();
            Heap4& mine = border[at(g)];
            while (!mine.empty()) {
                const QueueItem item = mine.pop();
                if (group_[at(item.node)] != kFree) continue;
                take(item.node, g);
                reach_out(item.node, item.key, g);
                turns.emplace(total_[at(g)], size_[at(g)], g);
                break;
            }  // a group without a free neighbour gets no more turns
        }
    }

    // One pass over the nodes in order: towards lighter neighbours. False when nothing moved.
    bool balance(double even) {
        bool moved = false;
        for (index_t v = 0; v < graph_.node_count(); ++v) {
            const index_t from = group_[at(v)];
            index_t to = from;
            neighbours(v, [&](index_t u, double) {
                const index_t g = group_[at(u)];
                if (std::tie(total_[at(g)], g) < std::tie(total_[at(to)], to)) to = g;
            });
            const double gap = total_[at(from)] - total_[at(to)];
            // The sum of squares changes by 2 w (w - gap); the margin keeps rounding from moving a node back and forth.
            if (to == from || weight_[at(v)] <= 0 || gap <= even || weight_[at(v)] >= gap * (1 - 1e-9)) continue;
            if (!stays_connected(v)) continue;
            take(v, to);
            moved = true;
        }
        return moved;
    }

    // One pass over the nodes in order: to the group most of their links lead to, as long as weights stay within
    // `least` and `most`. Every move cuts fewer links. False when nothing moved.
    bool smooth(double least, double most) {
        links_to_.resize(at(k_), 0);
        bool moved = false;
        for (index_t v = 0; v < graph_.node_count(); ++v) {
            const index_t from = group_[at(v)];
            neighbours(v, [&](index_t u, double) { links_to_[at(group_[at(u)])] += u != v; });
            index_t to = from;
            neighbours(v, [&](index_t u, double) {
                const index_t g = group_[at(u)];
                const bool fits = total_[at(g)] + weight_[at(v)] <= most;
                const bool more = std::tuple(links_to_[at(g)], -g) > std::tuple(links_to_[at(to)], -to);
                if (fits && g != from && links_to_[at(g)] > links_to_[at(from)] && more) to = g;
            });
            neighbours(v, [&](index_t u, double) { links_to_[at(group_[at(u)])] = 0; });
            if (to == from || total_[at(from)] - weight_[at(v)] < least || !stays_connected(v)) continue;
            take(v, to);
            moved = true;
        }
        return moved;
    }

    // The group of v is connected without v, not empty, and that shows within kSearched nodes around v.
    bool stays_connected(index_t v) {
        const index_t g = group_[at(v)];
        if (size_[at(g)] == 1) return false;
        seen_.resize(group_.size(), 0);
        ++stamp_;
        const index_t wanted = stamp_ * 2, reached = stamp_ * 2 + 1;
        index_t missing = 0;
        open_.clear();
        neighbours(v, [&](index_t u, double) {
            if (u == v || group_[at(u)] != g || seen_[at(u)] == wanted) return;
            seen_[at(u)] = wanted;
            ++missing;
            if (open_.empty()) open_.push_back(u);
        });
        const auto visit = [&](index_t u) {
            if (u == v || group_[at(u)] != g || seen_[at(u)] == reached) return false;
            missing -= seen_[at(u)] == wanted;
            seen_[at(u)] = reached;
            return true;
        };
        visit(open_.front());
        // In breadth: the other neighbours of v are usually a step or two away.
        for (std::size_t i = 0; i < open_.size() && missing > 0 && i < at(kSearched); ++i)
            neighbours(open_[i], [&](index_t u, double) {
                if (visit(u)) open_.push_back(u);
            });
        return missing == 0;
    }

    const Graph& graph_;
    index_t k_;
    std::span<const double> weight_;
    std::vector<index_t> group_;
    std::vector<double> total_;
    std::vector<index_t> size_;
    std::vector<index_t> seen_;
    index_t stamp_ = 0;
    std::vector<index_t> open_;
    std::vector<index_t> links_to_;
    Heap4 heap_;
};

void check(const Graph& graph, index_t k, std::span<const double> node_weight) {
    const index_t nodes = graph.node_count();
    if (static_cast<index_t>(node_weight.size()) != nodes)
        throw InvalidArgument("expected " + std::to_string(nodes) + " node weights (one a node), got " +
                              std::to_string(node_weight.size()));
    if (k < 1 || k > nodes)
        throw InvalidArgument("k is " + std::to_string(k) + "; expected 1.." + std::to_string(nodes) + " groups for " +
                              std::to_string(nodes) + " nodes");
    for (std::size_t v = 0; v < node_weight.size(); ++v)
        if (!(node_weight[v] >= 0 && node_weight[v] < kUnreachable))
            throw InvalidArgument("node " + std::to_string(v) + " has weight " + std::to_string(node_weight[v]) +
                                  "; expected a finite weight >= 0");
    std::vector<index_t> label(node_weight.size());
    if (const index_t parts = components(graph, nullptr, label); parts > 1) {
        const auto other = std::ranges::find(label, index_t{1}) - label.begin();
        throw InvalidArgument("the graph falls into " + std::to_string(parts) +
                              " components (node 0 cannot reach node " + std::to_string(other) +
                              "); expected a connected graph: add links or partition each one");
    }
}

// Groups numbered by their lowest node, so that equal cuts have equal numbers.
void renumber(std::span<const index_t> from, index_t k, std::span<index_t> to) {
    std::vector<index_t> name(at(k), kFree);
    index_t next = 0;
    for (std::size_t v = 0; v < from.size(); ++v) {
        index_t& mine = name[at(from[v])];
        if (mine == kFree) mine = next++;
        to[v] = mine;
    }
}

}  // namespace

void partition(const Graph& graph, index_t k, std::span<const double> node_weight, std::uint64_t seed,
               std::span<index_t> group) {
    check(graph, k, node_weight);
    std::vector<Start> starts;
    double best = kUnreachable;
    Stream random(seed, 0, kPurpose);
    const index_t count = std::clamp(kStartNodes / graph.node_count(), kFewestStarts, kMostStarts);
    for (index_t s = 0; s < count; ++s) {
        starts.emplace_back(graph, k, node_weight);
        starts.back().run(random.below(static_cast<std::uint32_t>(graph.node_count())));
        best = std::min(best, starts.back().heaviest());
    }
    const Start* chosen = nullptr;
    std::tuple<index_t, double> lowest{};
    for (const Start& start : starts) {
        if (start.heaviest() > best * kBalanceSlack) continue;
        const std::tuple score{start.cut_links(), start.heaviest()};
        if (chosen == nullptr || score < lowest) {
            chosen = &start;
            lowest = score;
        }
    }
    renumber(chosen->groups(), k, group);
}

}  // namespace tiertwin
