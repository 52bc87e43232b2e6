#include "localise/search.hpp"

#include <algorithm>
#include <numeric>
#include <queue>
#include <utility>

namespace tiertwin::localise {
namespace {

constexpr double kBetter = 1e-12;

Members without(const Members& members, std::int32_t gone) {
    Members rest;
    std::ranges::copy_if(members, std::back_inserter(rest), [gone](std::int32_t c) { return c != gone; });
    return rest;
}

Members with(Members members, std::int32_t more) {
    members.insert(std::ranges::lower_bound(members, more), more);
    return members;
}

// The best cause to add to a set, if it brings the score above `least`; `barred` may not come back.
std::pair<std::int32_t, double> best_addition(const Part& part, const Members& order, const Standing& set,
                                              std::int32_t barred, double least, double& work) {
    std::int32_t best = -1;
    for (const std::int32_t c : order) {
        if (set.score() + part.gain[static_cast<std::size_t>(c)] <= least) break;  // nor does any after it
        if (c == barred || set.has(c)) continue;
        work -= static_cast<double>(part.of(static_cast<std::size_t>(c)).size());
        const double score = set.score() + set.gain(c);
        if (score > least) best = c, least = score;
    }
    return {best, least};
}

}  // namespace

Standing::Standing(const Part& part, Members members)
    : part_(&part), members_(std::move(members)), member_(part.causes(), 0), exposure_(part.background) {
    for (const std::int32_t m : members_) {
        const auto c = static_cast<std::size_t>(m);
        member_[c] = 1;
        score_ += part.plain[c];
        for (const auto& to : part.of(c)) exposure_[static_cast<std::size_t>(to.observation)] += to.exposure;
    }
    ln_alarm_.reserve(exposure_.size());
    for (std::size_t i = 0; i < exposure_.size(); ++i) {
        ln_alarm_.push_back(ln_alarm(exposure_[i]));
        score_ += ln_alarm_[i] - ln_alarm(part.background[i]);
    }
}

void Standing::add(std::int32_t c) {
    score_ += gain(c);
    for (const auto& to : part_->of(static_cast<std::size_t>(c))) {
        const auto i = static_cast<std::size_t>(to.observation);
        exposure_[i] += to.exposure;
        ln_alarm_[i] = ln_alarm(exposure_[i]);
    }
    members_.insert(std::ranges::lower_bound(members_, c), c);
    member_[static_cast<std::size_t>(c)] = 1;
}

double Standing::gain(std::int32_t c) const {
    double gain = part_->plain[static_cast<std::size_t>(c)];
    for (const auto& to : part_->of(static_cast<std::size_t>(c))) {
        const auto i = static_cast<std::size_t>(to.observation);
        gain += ln_alarm(exposure_[i] + to.exposure) - ln_alarm_[i];
    }
    return gain;
}

double Standing::loss(std::int32_t c) const {
    double loss = part_->plain[static_cast<std::size_t>(c)];
    for (const auto& to : part_->of(static_cast<std::size_t>(c))) {
        const auto i = static_cast<std::size_t>(to.observation);
        loss += ln_alarm_[i] - ln_alarm(std::max(exposure_[i] - to.exposure, part_->background[i]));
    }
    return loss;
}

Members by_gain(const Part& part) {
    Members order(part.causes());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](std::int32_t a, std::int32_t b) {
        return part.gain[static_cast<std::size_t>(a)] > part.gain[static_cast<std::size_t>(b)];
    });
    return order;
}

Members greedy(const Part& part, const Members& order) {
    // (gain as last computed, -cause): the largest first, of equals the lowest cause
    std::priority_queue<std::pair<double, std::int32_t>> queue;
    for (const std::int32_t c : order) queue.emplace(part.gain[static_cast<std::size_t>(c)], -c);
    Standing set(part, {});
    while (!queue.empty() && queue.top().first > kBetter) {
        const std::int32_t c = -queue.top().second;
        queue.pop();
        const double gain = set.gain(c);
        if (gain <= kBetter) continue;
        const std::pair<double, std::int32_t> now{gain, -c};
        if (queue.empty() || now >= queue.top())
            set.add(c);
        else
            queue.push(now);
    }
    return set.members();
}

Members improved(const Part& part, const Members& order, Members members, double& work) {
    while (work > 0.0) {
        const Standing set(part, members);
        auto [added, best] = best_addition(part, order, set, -1, set.score() + margin(set.score()), work);
        Members next = added >= 0 ? with(members, added) : members;
        for (const std::int32_t m : members) {
            if (work <= 0.0) break;
            work -= static_cast<double>(part.background.size());
            const Standing rest(part, without(members, m));
            if (rest.score() > best) best = rest.score(), next = rest.members();
            const auto [other, score] = best_addition(part, order, rest, m, best, work);
            if (other >= 0) best = score, next = with(rest.members(), other);
        }
        if (next == members) break;
        members = std::move(next);
    }
    return members;
}

}  // namespace tiertwin::localise
