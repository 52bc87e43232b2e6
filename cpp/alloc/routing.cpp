#include "alloc/routing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "alloc/routing_reduce.hpp"
#include "alloc/routing_solver.hpp"
#include "alloc/routing_spread.hpp"

namespace tiertwin::alloc {

namespace {

constexpr index_t kMostSweeps = 12;
constexpr int kColdPower = 8, kWarmPower = 64, kMostPower = 128;  // of the levelling, see routing_spread.hpp
constexpr double kDouble = 0.6;          // a sweep that brings the gap to less than this share doubles the power
constexpr double kStalled = 0.7;         // a sweep that leaves more than this share of the gap is the last
constexpr double kFirstCritical = 0.8;   // of the bound: critical after the sweeps
constexpr double kFarFromFull = 0.2;     // of the fullest: not critical at first, however low the bound is
constexpr double kNextCritical = 0.9;    // of the bound: becomes critical when a split fills it so far
constexpr double kLastTolerance = 0.25;  // of the tolerance: how well the last reduced problem is solved
constexpr double kFirstTolerance = 0.1;  // how well the first is at most; all to kNextTolerance of the gap left
constexpr double kNextTolerance = 0.2;
constexpr double kFirstMargin = 0.05;  // in price: which options are offered first
constexpr double kMoreMargin = 10.0;   // times that when these are not enough, and after kMostMargin all
constexpr double kMostMargin = 10.0;
constexpr double kCongestionPower = 4.0;  // prices of ties: (load/capacity)^4

class Search {
  public:
    Search(const RoutingProblem& problem, const RoutingLimits& limits)
        : p_(problem), limits_(limits), load_(p_.capacity.size()), critical_(p_.capacity.size()) {}

    RoutingAnswer run(const RoutingStart& start);

  private:
    const RoutingProblem& p_;
    const RoutingLimits& limits_;
    std::vector<double> load_, share_, congestion_;
    std::vector<char> critical_;
    double margin_ = kFirstMargin;
    RoutingAnswer best_;

    [[nodiscard]] double filled(std::size_t r) const { return load_[r] > 0.0 ? load_[r] / p_.capacity[r] : 0.0; }
    [[nodiscard]] double fullest() const;
    [[nodiscard]] bool close(double utilisation) const {
        return utilisation <= (1.0 + limits_.tolerance) * best_.bound;
    }
    [[nodiscard]] bool certified() const { return close(best_.worth.utilisation); }
    [[nodiscard]] double gap() const { return best_.worth.utilisation / best_.bound - 1.0; }
    [[nodiscard]] bool stopped() const { return limits_.stop && limits_.stop(); }

    void judge();
    void offer(std::span<const double> price);
    void level(bool warm);
    void congest();
    void narrow();
    bool round(double tolerance);
    [[nodiscard]] Split solve(const ReducedRouting& reduced, double tolerance);
    [[nodiscard]] std::size_t newly_critical(double from) const;
    std::size_t grow(double from);
};

double Search::fullest() const {
    double most = 0.0;
    for (std::size_t r = 0; r < load_.size(); ++r) most = std::max(most, filled(r));
    return most;
}

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

// Sweeps until certified, or until the gap hardly shrinks.
void Search::level(bool warm) {
    Levelling levelling(p_);
    int power = warm ? kWarmPower : kColdPower;
    double before = std::numeric_limits<double>::infinity();
    while (best_.sweeps < kMostSweeps && !stopped()) {
        levelling.sweep(share_, load_, power);
        ++best_.sweeps;
        offer(levelling.price(load_, power));
        const double top = fullest(), gap = top / best_.bound - 1.0;
        if (close(top) || !(gap < kStalled * before)) break;
        if (gap < kDouble * before) power = std::min(2 * power, kMostPower);
        before = gap;
    }
    judge();
}

void Search::congest() {
    const double most = fullest();
    congestion_.assign(load_.size(), 0.0);
    for (std::size_t r = 0; r < load_.size(); ++r)
        if (filled(r) > 0.0) congestion_[r] = std::pow(filled(r) / most, kCongestionPower) / p_.capacity[r];
}

std::size_t Search::newly_critical(double from) const {
    std::size_t found = 0;
    for (std::size_t r = 0; r < load_.size(); ++r) found += !critical_[r] && filled(r) > 0.0 && filled(r) >= from;
    return found;
}

// Resources filled to `from` or more become critical; how many are new.
std::size_t Search::grow(double from) {
    std::size_t added = 0;
    for (std::size_t r = 0; r < load_.size(); ++r) {
        if (critical_[r] || filled(r) < from || filled(r) == 0.0) continue;
        critical_[r] = 1;
        ++added;
    }
    return added;
}

Split Search::solve(const ReducedRouting& reduced, double tolerance) {
    if (!reduced.options) {  // nobody has a choice: the fullest base row decides
        Split split;
        split.price.assign(reduced.base.size(), 0.0);
        if (!reduced.base.empty())
            split.price[static_cast<std::size_t>(std::max_element(reduced.base.begin(), reduced.base.end()) -
                                                 reduced.base.begin())] = 1.0;
        return split;
    }
    const std::vector<double> from = reduced.collect(share_);
    std::vector<double> paid(reduced.base.size());
    for (std::size_t i = 0; i < paid.size(); ++i)
        paid[i] = best_.price[reduced.row_resource[i]] * p_.capacity[reduced.row_resource[i]];
    const auto overfills = [&](std::span<const double> found, double least) {
        reduced.expand(found, share_);
        static_cast<void>(evaluate(p_, share_, load_));  // for the loads
        return newly_critical(kNextCritical * std::max(best_.bound, least)) > 0;
    };
    return split_evenly(*reduced.options, reduced.base, {from, paid},
                        {tolerance, kLastTolerance * limits_.tolerance, overfills, limits_.stop,
                         limits_.iterations - best_.iterations});
}

// One reduced problem; false if nothing came of it.
bool Search::round(double tolerance) {
    const ReducedRouting reduced(p_, critical_, congestion_, {share_, best_.price, margin_});
    const Split split = solve(reduced, tolerance);
    best_.iterations += split.iterations;
    ++best_.rounds;
    best_.groups = reduced.options ? reduced.options->users : 0;
    best_.critical = static_cast<index_t>(reduced.base.size());
    std::vector<double> price(p_.capacity.size());
    for (std::size_t i = 0; i < split.price.size(); ++i) {
        const std::uint32_t r = reduced.row_resource[i];
        price[r] = std::max(split.price[i], 0.0) / p_.capacity[r];
    }
    offer(price);
    reduced.expand(split.share, share_);
    fit(p_, share_);
    judge();
    congest();
    return split.iterations > 0 || !reduced.options;
}

// Rounds over growing sets of critical resources and offered options.
void Search::narrow() {
    congest();
    grow(std::max(kFirstCritical * best_.bound, kFarFromFull * best_.worth.utilisation));
    const double last = kLastTolerance * limits_.tolerance;
    double tolerance = std::clamp(kNextTolerance * gap(), last, kFirstTolerance);
    while (!certified() && best_.iterations < limits_.iterations && !stopped()) {
        const bool moved = round(tolerance);
        const bool grew = grow(kNextCritical * best_.bound) > 0;
        if (!grew && (tolerance == last || !moved)) {
            if (std::isinf(margin_)) break;
            margin_ = margin_ < kMostMargin ? kMoreMargin * margin_ : std::numeric_limits<double>::infinity();
        }
        tolerance = grew ? std::clamp(kNextTolerance * gap(), last, tolerance) : last;
    }
}

RoutingAnswer Search::run(const RoutingStart& start) {
    share_.assign(p_.open.size(), 0.0);
    if (!start.share.empty()) share_.assign(start.share.begin(), start.share.end());
    fit(p_, share_);
    judge();
    offer(start.price.empty() ? std::vector<double>(load_.size())
                              : std::vector<double>(start.price.begin(), start.price.end()));
    if (!certified()) level(!start.share.empty());
    if (!certified()) narrow();
    return std::move(best_);
}

}  // namespace

RoutingAnswer route(const RoutingProblem& problem, const RoutingStart& start, const RoutingLimits& limits) {
    return Search(problem, limits).run(start);
}

}  // namespace tiertwin::alloc
