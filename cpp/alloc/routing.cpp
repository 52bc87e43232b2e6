#include "alloc/routing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "alloc/routing_reduce.hpp"
#include "alloc/routing_solver.hpp"

namespace tiertwin::alloc {

namespace {

constexpr double kFirstCritical = 0.2;   // of the fullest: critical at the start
constexpr double kNextCritical = 0.9;    // of the bound: becomes critical when a split fills it so far
constexpr double kLastTolerance = 0.25;  // of the tolerance: how well the last reduced problem is solved
constexpr double kFirstTolerance = 0.1;  // how well the first is; the next ones to kNextTolerance of the gap left
constexpr double kNextTolerance = 0.2;
constexpr double kCongestionPower = 4.0;  // prices of ties and of the first bound: (load/capacity)^4

class Search {
  public:
    Search(const RoutingProblem& problem, double tolerance) : p_(problem), tolerance_(tolerance) {
        load_.resize(p_.capacity.size());
        critical_.assign(p_.capacity.size(), 0);
    }

    RoutingAnswer run(std::span<const double> start, index_t limit);

  private:
    const RoutingProblem& p_;
    double tolerance_;
    std::vector<double> load_, share_, congestion_;
    std::vector<char> critical_;
    bool warm_ = false;  // share_ is worth beginning from
    RoutingAnswer best_;

    [[nodiscard]] double filled(std::size_t r) const { return load_[r] > 0.0 ? load_[r] / p_.capacity[r] : 0.0; }
    [[nodiscard]] bool certified() const { return best_.worth.utilisation <= (1.0 + tolerance_) * best_.bound; }

    void judge();
    void offer(std::span<const double> price);
    void congest();
    bool round(index_t limit, double tolerance);
    [[nodiscard]] std::size_t newly_critical(double from) const;
    std::size_t grow(double from);
};

// The split in share_: is it the best?
void Search::judge() {
    const RoutingWorth worth = evaluate(p_, share_, load_);
    if (!best_.share.empty() && worth.utilisation >= best_.worth.utilisation) return;
    best_.worth = worth;
    best_.share = share_;
    best_.load = load_;
}

// Prices: are they the best? Scaled so that sum c l = 1.
void Search::offer(std::span<const double> price) {
    const double bound = price_bound(p_, price);
    if (!best_.price.empty() && bound <= best_.bound) return;
    best_.bound = bound;
    best_.price.assign(price.size(), 0.0);
    double total = 0.0;
    for (std::size_t r = 0; r < price.size(); ++r)
        if (std::isfinite(p_.capacity[r])) total += price[r] * p_.capacity[r];
    for (std::size_t r = 0; r < price.size(); ++r)
        if (std::isfinite(p_.capacity[r]) && total > 0.0) best_.price[r] = price[r] / total;
}

void Search::congest() {
    double most = 0.0;
    for (std::size_t r = 0; r < load_.size(); ++r) most = std::max(most, filled(r));
    congestion_.assign(load_.size(), 0.0);
    for (std::size_t r = 0; r < load_.size(); ++r)
        if (filled(r) > 0.0) congestion_[r] = std::pow(filled(r) / most, kCongestionPower) / p_.capacity[r];
}

std::size_t Search::newly_critical(double from) const {
    std::size_t found = 0;
    for (std::size_t r = 0; r < load_.size(); ++r) found += !critical_[r] && load_[r] > 0.0 && filled(r) >= from;
    return found;
}

// Resources filled to `from` or more become critical; how many are new.
std::size_t Search::grow(double from) {
    std::size_t added = 0;
    for (std::size_t r = 0; r < load_.size(); ++r) {
        if (critical_[r] || filled(r) < from || load_[r] == 0.0) continue;
        critical_[r] = 1;
        ++added;
    }
    return added;
}

bool Search::round(index_t limit, double tolerance) {
    const ReducedRouting reduced(p_, critical_, congestion_);
    std::vector<double> price(p_.capacity.size());
    Split split;
    if (reduced.options) {
        const std::vector<double> from = warm_ ? reduced.collect(share_) : std::vector<double>();
        std::vector<double> paid(reduced.base.size());
        for (std::size_t i = 0; i < paid.size(); ++i)
            paid[i] = best_.price[reduced.row_resource[i]] * p_.capacity[reduced.row_resource[i]];
        const auto overfills = [&](std::span<const double> found, double least) {
            reduced.expand(found, share_);
            static_cast<void>(evaluate(p_, share_, load_));  // for the loads
            return newly_critical(kNextCritical * std::max(best_.bound, least)) > 0;
        };
        split = split_evenly(*reduced.options, reduced.base, {from, paid},
                             {tolerance, kLastTolerance * tolerance_, overfills, limit - best_.iterations});
    } else {  // nobody has a choice: the fullest base row decides
        split.price.assign(reduced.base.size(), 0.0);
        if (!reduced.base.empty())
            split.price[static_cast<std::size_t>(std::max_element(reduced.base.begin(), reduced.base.end()) -
                                                 reduced.base.begin())] = 1.0;
    }
    best_.iterations += split.iterations;
    ++best_.rounds;
    best_.groups = reduced.options ? reduced.options->users : 0;
    best_.critical = static_cast<index_t>(reduced.base.size());
    for (std::size_t i = 0; i < split.price.size(); ++i) {
        const std::uint32_t r = reduced.row_resource[i];
        price[r] = std::max(split.price[i], 0.0) / p_.capacity[r];
    }
    offer(price);
    warm_ = true;
    reduced.expand(split.share, share_);
    fit(p_, share_);
    judge();
    congest();
    return split.iterations > 0 || !reduced.options;
}

RoutingAnswer Search::run(std::span<const double> start, index_t limit) {
    share_.assign(p_.open.size(), 0.0);
    if (!start.empty()) share_.assign(start.begin(), start.end());
    fit(p_, share_);
    judge();
    congest();
    offer(congestion_);
    grow(kFirstCritical * best_.worth.utilisation);
    const double last = kLastTolerance * tolerance_;
    double tolerance = std::max(last, kFirstTolerance);
    while (!certified() && best_.iterations < limit) {
        if (!round(limit, tolerance) && tolerance == last) break;
        const bool grew = grow(kNextCritical * best_.bound) > 0;
        if (!grew && tolerance == last) break;
        tolerance =
            grew ? std::clamp(kNextTolerance * (best_.worth.utilisation / best_.bound - 1.0), last, tolerance) : last;
    }
    return std::move(best_);
}

}  // namespace

RoutingAnswer route(const RoutingProblem& problem, std::span<const double> start, index_t iteration_limit,
                    double tolerance) {
    return Search(problem, tolerance).run(start, iteration_limit);
}

}  // namespace tiertwin::alloc
