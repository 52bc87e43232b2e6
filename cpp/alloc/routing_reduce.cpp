#include "alloc/routing_reduce.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace tiertwin::alloc {

namespace {

struct Use {
    std::uint32_t row;
    double amount;
    bool operator==(const Use&) const = default;
};

struct Candidate {
    std::uint32_t option;
    double congestion;
    bool needed;
    std::vector<Use> uses;  // rows rise
};

// Every use of a is covered by one of b.
bool within(const std::vector<Use>& a, const std::vector<Use>& b) {
    std::size_t j = 0;
    for (const Use& use : a) {
        while (j < b.size() && b[j].row < use.row) ++j;
        if (j == b.size() || b[j].row != use.row || b[j].amount < use.amount) return false;
    }
    return true;
}

// Takes the least use over all candidates out of each; returns what was taken.
std::vector<Use> take_common(std::span<Candidate> list) {
    std::vector<Use> common = list.front().uses;
    for (const Candidate& c : list.subspan(1)) {
        std::size_t j = 0, to = 0;
        for (const Use& use : common) {
            while (j < c.uses.size() && c.uses[j].row < use.row) ++j;
            if (j < c.uses.size() && c.uses[j].row == use.row)
                common[to++] = {use.row, std::min(use.amount, c.uses[j].amount)};
        }
        common.resize(to);
    }
    if (common.empty()) return common;
    for (Candidate& c : list) {
        std::size_t j = 0, to = 0;
        for (Use use : c.uses) {
            while (j < common.size() && common[j].row < use.row) ++j;
            if (j < common.size() && common[j].row == use.row) use.amount -= common[j].amount;
            if (use.amount > 0.0) c.uses[to++] = use;
        }
        c.uses.resize(to);
    }
    return common;
}

// Candidates that no other makes superfluous, in the order of their uses; how many there are.
std::size_t drop_dominated(std::span<Candidate> list) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        bool needed = true;
        for (std::size_t j = 0; needed && j < list.size(); ++j) {
            if (i == j || !within(list[j].uses, list[i].uses)) continue;
            const bool same = list[i].uses.size() == list[j].uses.size() && within(list[i].uses, list[j].uses);
            needed = same &&
                     (list[i].congestion < list[j].congestion || (list[i].congestion == list[j].congestion && i < j));
        }
        list[i].needed = needed;
    }
    for (std::size_t i = 0; i < list.size(); ++i)
        if (list[i].needed && kept++ != i) std::swap(list[kept - 1], list[i]);
    std::sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(kept), [](const auto& a, const auto& b) {
        return std::lexicographical_compare(
            a.uses.begin(), a.uses.end(), b.uses.begin(), b.uses.end(),
            [](const Use& x, const Use& y) { return x.row != y.row ? x.row < y.row : x.amount < y.amount; });
    });
    return kept;
}

// Groups by the exact uses of their options.
class Groups {
  public:
    std::size_t find(std::span<const Candidate> list) {
        key_.clear();
        for (const Candidate& c : list) {
            key_.push_back(c.uses.size());
            for (const Use& use : c.uses) {
                key_.push_back(use.row);
                key_.push_back(std::bit_cast<std::uint64_t>(use.amount));
            }
        }
        std::uint64_t hash = 1469598103934665603u;  // FNV-1a by words, then folded
        for (const std::uint64_t word : key_) hash = (hash ^ word) * 1099511628211u, hash ^= hash >> 29;
        auto& bucket = by_hash_[hash];
        for (const std::size_t g : bucket)
            if (keys[g] == key_) return g;
        bucket.push_back(keys.size());
        keys.push_back(key_);
        demand.push_back(0.0);
        return keys.size() - 1;
    }

    std::vector<std::vector<std::uint64_t>> keys;
    std::vector<double> demand;

  private:
    std::vector<std::uint64_t> key_;
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_hash_;  // looked up, never walked
};

}  // namespace

ReducedRouting::ReducedRouting(const RoutingProblem& problem, std::span<const char> critical,
                               std::span<const double> congestion)
    : problem_(problem) {
    const Options& o = problem.options;
    std::vector<std::int32_t> row_of(critical.size(), -1);
    for (std::size_t r = 0; r < critical.size(); ++r)
        if (critical[r]) {
            row_of[r] = static_cast<std::int32_t>(row_resource.size());
            row_resource.push_back(static_cast<std::uint32_t>(r));
        }
    base.assign(row_resource.size(), 0.0);
    group_of_.assign(problem.demand.size(), -1);
    chosen_.assign(o.options(), 0);
    Groups groups;
    std::vector<Candidate> list;
    const auto add_base = [&](const std::vector<Use>& uses, double demand) {
        for (const Use& use : uses) base[use.row] += use.amount * demand / problem.capacity[row_resource[use.row]];
    };
    for (std::size_t u = 0; u < problem.demand.size(); ++u) {
        if (problem.demand[u] == 0.0) continue;
        std::size_t count = 0;
        for (std::uint32_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) {
            if (!problem.open[k]) continue;
            if (count == list.size()) list.emplace_back();
            Candidate& c = list[count++];
            c.option = k;
            c.congestion = 0.0;
            c.uses.clear();
            for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) {
                c.congestion += o.use[e] * congestion[o.resource[e]];
                if (row_of[o.resource[e]] >= 0 && o.use[e] > 0.0)
                    c.uses.push_back({static_cast<std::uint32_t>(row_of[o.resource[e]]), o.use[e]});
            }
        }
        const std::span<Candidate> all = std::span(list).first(count);
        add_base(take_common(all), problem.demand[u]);
        const std::span<Candidate> kept = all.first(drop_dominated(all));
        for (std::size_t i = 0; i < kept.size(); ++i) chosen_[o.of_user[u] + i] = kept[i].option;
        if (kept.size() == 1) {
            add_base(kept.front().uses, problem.demand[u]);
            continue;
        }
        const std::size_t g = groups.find(kept);
        group_of_[u] = static_cast<std::int64_t>(g);
        groups.demand[g] += problem.demand[u];
    }
    std::vector<index_t> offsets{0}, resource;
    std::vector<double> use;
    first_of_group_.assign(1, 0);
    for (std::size_t g = 0; g < groups.keys.size(); ++g) {
        const auto& key = groups.keys[g];
        for (std::size_t i = 0; i < key.size();) {
            const std::size_t end = i + 1 + 2 * static_cast<std::size_t>(key[i]);
            for (++i; i < end; i += 2) {
                resource.push_back(static_cast<index_t>(key[i]));
                use.push_back(std::bit_cast<double>(key[i + 1]) * groups.demand[g] /
                              problem.capacity[row_resource[key[i]]]);
            }
            offsets.push_back(static_cast<index_t>(resource.size()));
        }
        first_of_group_.push_back(static_cast<index_t>(offsets.size()) - 1);
    }
    if (!groups.keys.empty())
        options = std::make_unique<Options>(first_of_group_, offsets, resource, use,
                                            static_cast<index_t>(row_resource.size()));
}

std::vector<double> ReducedRouting::collect(std::span<const double> share) const {
    if (!options) return {};
    std::vector<double> out(options->options());
    for (std::size_t u = 0; u < group_of_.size(); ++u) {
        if (group_of_[u] < 0) continue;
        const auto g = static_cast<std::size_t>(group_of_[u]);
        const std::size_t from = problem_.options.of_user[u], first = options->of_user[g],
                          count = options->of_user[g + 1] - first;
        double kept = 0.0;
        for (std::size_t i = 0; i < count; ++i) kept += share[chosen_[from + i]];
        const double rest = std::max(0.0, 1.0 - kept) / static_cast<double>(count);
        for (std::size_t i = 0; i < count; ++i)
            out[first + i] += problem_.demand[u] * (share[chosen_[from + i]] + rest);
    }
    for (std::size_t g = 0; g < static_cast<std::size_t>(options->users); ++g) {
        double sum = 0.0;
        for (std::size_t k = options->of_user[g]; k < options->of_user[g + 1]; ++k) sum += out[k];
        for (std::size_t k = options->of_user[g]; k < options->of_user[g + 1]; ++k) out[k] /= sum;
    }
    return out;
}

void ReducedRouting::expand(std::span<const double> reduced, std::span<double> share) const {
    std::fill(share.begin(), share.end(), 0.0);
    for (std::size_t u = 0; u < group_of_.size(); ++u) {
        if (problem_.demand[u] == 0.0) continue;
        const std::size_t from = problem_.options.of_user[u];
        if (group_of_[u] < 0) {
            share[chosen_[from]] = 1.0;
            continue;
        }
        const auto g = static_cast<std::size_t>(group_of_[u]);
        const auto first = static_cast<std::size_t>(first_of_group_[g]),
                   last = static_cast<std::size_t>(first_of_group_[g + 1]);
        for (std::size_t i = first; i < last; ++i) share[chosen_[from + i - first]] = reduced[i];
    }
}

}  // namespace tiertwin::alloc
