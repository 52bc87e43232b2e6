#include "alloc/routing_reduce.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tiertwin::alloc {

namespace {

constexpr double kInUse = 0.01;  // share of a demand from which an option is offered at any price

struct Use {
    std::uint32_t row;
    double amount;
    bool operator==(const Use&) const = default;
};

// An option while its user is looked at: uses of critical resources, rows rising, and a bit for each row modulo 64.
struct Candidate {
    std::uint32_t option;
    std::uint64_t bits;
    std::vector<Use> uses;
};

// Every use of a is covered by one of b.
bool within(const Candidate& a, const Candidate& b) {
    if ((a.bits & ~b.bits) != 0 || a.uses.size() > b.uses.size()) return false;
    std::size_t j = 0;
    for (const Use& use : a.uses) {
        while (j < b.uses.size() && b.uses[j].row < use.row) ++j;
        if (j == b.uses.size() || b.uses[j].row != use.row || b.uses[j].amount < use.amount) return false;
    }
    return true;
}

bool in_order(const Candidate& a, const Candidate& b) {
    return std::lexicographical_compare(
        a.uses.begin(), a.uses.end(), b.uses.begin(), b.uses.end(),
        [](const Use& x, const Use& y) { return x.row != y.row ? x.row < y.row : x.amount < y.amount; });
}

// The open options of a user cut down to critical resources: what all use alike goes to the base, superfluous ones go.
class Menu {
  public:
    Menu(const RoutingProblem& problem, const Offer& offer, std::span<const std::int32_t> row_of,
         std::span<const double> congestion, std::size_t rows)
        : p_(problem), offer_(offer), row_of_(row_of), congestion_(congestion), seen_(rows), least_(rows) {}

    // The options left, in the order of their uses; `base` [rows] gets the load that is the same for all of them.
    std::span<const Candidate> of(std::size_t u, std::span<double> base);

  private:
    const RoutingProblem& p_;
    const Offer& offer_;
    std::span<const std::int32_t> row_of_;
    std::span<const double> congestion_;
    std::vector<std::uint32_t> seen_;  // [rows] options of this user that use a row; 0 between users
    std::vector<double> least_;        // [rows] the least use of these
    std::vector<std::uint32_t> common_;
    std::vector<Candidate> list_;
    std::vector<std::uint32_t> offered_;
    std::vector<double> priced_;

    void choose(std::size_t u);
    void read(Candidate& c, std::uint32_t option);
    void take_common(std::span<Candidate> all, double demand, std::span<double> base);
    std::size_t keep_needed(std::span<Candidate> all) const;
};

// offered_: the open options in use or hardly dearer than the cheapest.
void Menu::choose(std::size_t u) {
    const Options& o = p_.options;
    const bool all = std::isinf(offer_.margin);
    double cheapest = std::numeric_limits<double>::infinity();
    offered_.clear();
    priced_.clear();
    for (std::uint32_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) {
        if (!p_.open[k]) continue;
        offered_.push_back(k);
        priced_.push_back(all ? 0.0 : o.priced(k, offer_.price));
        cheapest = std::min(cheapest, priced_.back());
    }
    if (all) return;
    std::size_t to = 0;
    for (std::size_t i = 0; i < offered_.size(); ++i)
        if (priced_[i] <= (1.0 + offer_.margin) * cheapest || offer_.share[offered_[i]] >= kInUse)
            offered_[to++] = offered_[i];
    offered_.resize(to);
}

void Menu::read(Candidate& c, std::uint32_t option) {
    const Options& o = p_.options;
    c.option = option;
    c.uses.clear();
    for (std::size_t e = o.of_option[option]; e < o.of_option[option + 1]; ++e) {
        const std::int32_t row = row_of_[o.resource[e]];
        if (row < 0 || o.use[e] == 0.0) continue;
        const auto r = static_cast<std::uint32_t>(row);
        c.uses.push_back({r, o.use[e]});
        least_[r] = seen_[r]++ == 0 ? o.use[e] : std::min(least_[r], o.use[e]);
    }
}

void Menu::take_common(std::span<Candidate> all, double demand, std::span<double> base) {
    common_.clear();
    for (const Use& use : all.front().uses)
        if (seen_[use.row] == all.size()) {
            base[use.row] += least_[use.row] * demand;
            common_.push_back(use.row);
        }
    for (Candidate& c : all) {
        std::size_t to = 0;
        c.bits = 0;
        for (Use use : c.uses) {
            if (seen_[use.row] == all.size()) use.amount -= least_[use.row];
            if (!(use.amount > 0.0)) continue;
            c.bits |= std::uint64_t{1} << (use.row % 64);
            c.uses[to++] = use;
        }
        c.uses.resize(to);
    }
    for (const Candidate& c : all)
        for (const Use& use : c.uses) seen_[use.row] = 0;
    for (const std::uint32_t row : common_) seen_[row] = 0;
}

// Those that no other makes superfluous first; how many there are. Of two that look alike the less congested is kept.
std::size_t Menu::keep_needed(std::span<Candidate> all) const {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        bool needed = true;
        for (std::size_t j = 0; needed && j < all.size(); ++j) {
            if (i == j || !within(all[j], all[i])) continue;
            if (!within(all[i], all[j])) {
                needed = false;
                continue;
            }
            const double mine = p_.options.priced(all[i].option, congestion_),
                         other = p_.options.priced(all[j].option, congestion_);
            needed = mine < other || (mine == other && all[i].option < all[j].option);
        }
        if (needed && kept++ != i) std::swap(all[kept - 1], all[i]);
    }
    return kept;
}

std::span<const Candidate> Menu::of(std::size_t u, std::span<double> base) {
    choose(u);
    if (offered_.size() > list_.size()) list_.resize(offered_.size());
    const std::span<Candidate> all = std::span(list_).first(offered_.size());
    for (std::size_t i = 0; i < all.size(); ++i) read(all[i], offered_[i]);
    take_common(all, p_.demand[u], base);
    if (all.size() == 1) return all;
    const std::span<Candidate> kept = all.first(keep_needed(all));
    if (kept.size() == 1)
        for (const Use& use : kept.front().uses) base[use.row] += use.amount * p_.demand[u];
    else
        std::sort(kept.begin(), kept.end(), in_order);
    return kept;
}

// Groups by the exact uses of their options. A key is, for each option, the number of its uses and then row and amount
// of each; keys stand one after another, found by an open table of hashes.
class Groups {
  public:
    Groups() : table_(1024, kFree) {}

    std::vector<double> demand;

    std::size_t find(std::span<const Candidate> list) {
        const std::size_t from = keys_.size();
        for (const Candidate& c : list) {
            keys_.push_back(c.uses.size());
            for (const Use& use : c.uses) {
                keys_.push_back(use.row);
                keys_.push_back(std::bit_cast<std::uint64_t>(use.amount));
            }
        }
        const std::span<const std::uint64_t> key = std::span<const std::uint64_t>(keys_).subspan(from);
        const std::uint64_t hash = hash_of(key);
        for (std::size_t at = hash & (table_.size() - 1);; at = (at + 1) & (table_.size() - 1)) {
            const std::uint32_t g = table_[at];
            if (g == kFree) return add(hash, at);
            if (hash_[g] != hash) continue;
            const auto known = this->key(g);
            if (std::equal(key.begin(), key.end(), known.begin(), known.end())) {
                keys_.resize(from);
                return g;
            }
        }
    }
    [[nodiscard]] std::span<const std::uint64_t> key(std::size_t g) const {
        return std::span<const std::uint64_t>(keys_).subspan(from_[g], from_[g + 1] - from_[g]);
    }

  private:
    static constexpr std::uint32_t kFree = 0xffffffffu;
    std::vector<std::uint64_t> keys_, hash_;
    std::vector<std::size_t> from_{0};
    std::vector<std::uint32_t> table_;  // looked up, never walked

    static std::uint64_t hash_of(std::span<const std::uint64_t> words) {
        std::uint64_t hash = 1469598103934665603u;  // FNV-1a by words, folded
        for (const std::uint64_t word : words) hash = (hash ^ word) * 1099511628211u, hash ^= hash >> 29;
        return hash;
    }
    std::size_t add(std::uint64_t hash, std::size_t at) {
        const std::size_t g = demand.size();
        table_[at] = static_cast<std::uint32_t>(g);
        hash_.push_back(hash);
        from_.push_back(keys_.size());
        demand.push_back(0.0);
        if (2 * demand.size() > table_.size()) grow();
        return g;
    }
    void grow() {
        table_.assign(2 * table_.size(), kFree);
        for (std::size_t g = 0; g < hash_.size(); ++g) {
            std::size_t at = hash_[g] & (table_.size() - 1);
            while (table_[at] != kFree) at = (at + 1) & (table_.size() - 1);
            table_[at] = static_cast<std::uint32_t>(g);
        }
    }
};

}  // namespace

ReducedRouting::ReducedRouting(const RoutingProblem& problem, std::span<const char> critical,
                               std::span<const double> congestion, const Offer& offer)
    : problem_(problem) {
    std::vector<std::int32_t> row_of(critical.size(), -1);
    for (std::size_t r = 0; r < critical.size(); ++r)
        if (critical[r]) {
            row_of[r] = static_cast<std::int32_t>(row_resource.size());
            row_resource.push_back(static_cast<std::uint32_t>(r));
        }
    base.assign(row_resource.size(), 0.0);
    group_of_.assign(problem.demand.size(), -1);
    chosen_.assign(problem.options.options(), 0);
    Groups groups;
    Menu menu(problem, offer, row_of, congestion, row_resource.size());
    for (std::size_t u = 0; u < problem.demand.size(); ++u) {
        if (problem.demand[u] == 0.0) continue;
        const std::span<const Candidate> kept = menu.of(u, base);
        for (std::size_t i = 0; i < kept.size(); ++i) chosen_[problem.options.of_user[u] + i] = kept[i].option;
        if (kept.size() == 1) continue;
        const std::size_t g = groups.find(kept);
        group_of_[u] = static_cast<std::int64_t>(g);
        groups.demand[g] += problem.demand[u];
    }
    for (std::size_t i = 0; i < base.size(); ++i) base[i] /= problem.capacity[row_resource[i]];
    std::vector<index_t> offsets{0}, resource;
    std::vector<double> use;
    first_of_group_.assign(1, 0);
    for (std::size_t g = 0; g < groups.demand.size(); ++g) {
        const auto key = groups.key(g);
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
    if (!groups.demand.empty())
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
