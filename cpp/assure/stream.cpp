#include "assure/stream.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "assure/checks.hpp"
#include "base/error.hpp"

namespace tiertwin::assure {
namespace {

index_t slot_at(double time_s, double period_s, index_t slots) {
    const double phase = time_s / period_s - std::floor(time_s / period_s);
    return std::min(static_cast<index_t>(phase * static_cast<double>(slots)), slots - 1);
}

void check(const ProfileOptions& profile) {
    expect_positive("period_s", profile.period_s);
    expect_at_least("slots", profile.slots, 2);
    expect_at_least("visits", profile.visits, 1);
    expect_within("profile gain", profile.gain, 0.0, 1.0);
    if (!profile.value && !profile.mean)
        throw InvalidArgument("profile: expected its residuals judged by value, by mean or both, got neither");
}

void check(const StreamOptions& options) {
    for (const double gain : options.gains) expect_within("gains", gain, 0.0, 1.0);
    for (const ProfileOptions& profile : options.profiles) check(profile);
    if (options.gains.empty() && options.profiles.empty())
        throw InvalidArgument("expected at least one gain or profile, got none: nothing would be judged");
    expect_within("short_gain", options.short_gain, 0.0, 1.0);
    expect_within("scale_gain", options.scale_gain, 0.0, 1.0);
    expect_within("quantile", options.tail.quantile, 0.5, 0.9999);
    expect_within("memory", options.tail.memory, 5.0, 1e9);
    expect_positive("clip", options.tail.clip);
    expect_within("heaviest", options.tail.heaviest, 0.0, 0.49);
    check(options.pattern);
    expect_at_least("warm", options.warm, 1);
    expect_within("recur", options.recur, 0.0, 1e6);
    expect_within("keep", options.keep, 0.0, 1.0);
    expect_positive("recur_period_s", options.recur_period_s);
    expect_at_least("recur_slots", options.recur_slots, 3);
    expect_at_least("hold", options.hold, 0);
    expect_at_least("gap", options.gap, 0);
    expect_within("least", options.least, 0.0, 1e300);
    expect_within("again", options.again, 1.0, 1e300);
}

}  // namespace

StreamWatch::StreamWatch(index_t series, StreamOptions options)
    : options_(std::move(options)), newest_s_(-std::numeric_limits<double>::infinity()) {
    expect_at_least("series", series, 1);
    check(options_);
    residuals_ = options_.gains.size();
    for (const ProfileOptions& profile : options_.profiles) {
        profile_slots_ += static_cast<std::size_t>(profile.slots);
        residuals_ += (profile.value ? 1U : 0U) + (profile.mean ? 1U : 0U);
    }
    State state{Pattern(options_.pattern), {}, {}, {}, {}};
    state.levels.assign(options_.gains.size(), 0.0);
    state.slots.assign(profile_slots_, {});
    state.tails.assign(residuals_, {});
    state.peaks.assign(static_cast<std::size_t>(options_.recur_slots), 0.0);
    states_.assign(static_cast<std::size_t>(series), state);
}

void StreamWatch::push(std::span<const double> values, std::span<const double> times_s, std::span<double> score,
                       std::span<double> alarm) {
    expect_rows(values, states_.size(), score);
    expect_rows(values, states_.size(), alarm);
    if (times_s.size() * states_.size() != values.size())
        throw InvalidArgument("times_s: expected one a row, " + std::to_string(values.size() / states_.size()) +
                              ", got " + std::to_string(times_s.size()));
    expect_finite_or_missing(values, states_.size());
    expect_forwards(times_s, newest_s_);
    if (!times_s.empty()) newest_s_ = times_s.back();
    for (std::size_t at = 0; at < values.size(); ++at) {
        score[at] = alarm[at] = 0.0;
        State& state = states_[at % states_.size()];
        if (std::isnan(values[at])) {
            ++state.missing;
            continue;
        }
        const double time_s = times_s[at / states_.size()];
        const double single = without_recurring(state, rarest(state, values[at], time_s), time_s);
        score[at] = std::max(single, state.pattern.push(values[at], options_.pattern));
        alarm[at] = alarm_of(state, score[at]);
        follow(state, values[at], time_s);
    }
}

double StreamWatch::rarest(State& state, double value, double time_s) {
    if (state.seen == 0.0 || state.missing > options_.gap) {
        std::ranges::fill(state.levels, value);
        state.mean = value;
        state.fresh = 0.0;
        state.pattern.restart();
    }
    state.missing = 0;
    double rare = 0.0;
    auto tail = state.tails.begin();
    const auto judge = [&](double residual) {
        rare = std::max(rare,
                        tail->push(residual, static_cast<double>(options_.warm), options_.scale_gain, options_.tail));
    };
    for (const double level : state.levels) {
        judge(value - level);
        ++tail;
    }
    const bool settled = state.fresh >= 2.0 / options_.short_gain - 1.0;
    std::size_t first = 0;
    for (const ProfileOptions& profile : options_.profiles) {
        const auto slot = static_cast<std::size_t>(slot_at(time_s, profile.period_s, profile.slots));
        const Slot& here = state.slots[first + slot];
        const bool known = here.visits >= static_cast<double>(profile.visits);
        if (profile.value) {
            if (known) judge(value - here.mean);
            ++tail;
        }
        if (profile.mean) {
            if (known && settled) judge(state.mean - here.mean);
            ++tail;
        }
        first += static_cast<std::size_t>(profile.slots);
    }
    return rare;
}

void StreamWatch::follow(State& state, double value, double time_s) const {
    state.seen += 1.0;
    state.fresh += 1.0;
    const double fresh = 1.0 / state.fresh;
    for (std::size_t k = 0; k < state.levels.size(); ++k)
        state.levels[k] += std::max(fresh, options_.gains[k]) * (value - state.levels[k]);
    state.mean += std::max(fresh, options_.short_gain) * (value - state.mean);
    std::size_t first = 0;
    for (const ProfileOptions& profile : options_.profiles) {
        Slot& slot = state.slots[first + static_cast<std::size_t>(slot_at(time_s, profile.period_s, profile.slots))];
        slot.visits += 1.0;
        slot.mean += std::max(1.0 / slot.visits, profile.gain) * (value - slot.mean);
        first += static_cast<std::size_t>(profile.slots);
    }
}

double StreamWatch::without_recurring(State& state, double score, double time_s) const {
    const index_t slots = options_.recur_slots, slot = slot_at(time_s, options_.recur_period_s, slots);
    const auto peak = [&](index_t s) -> double& { return state.peaks[static_cast<std::size_t>((s + slots) % slots)]; };
    const double before = std::max({peak(slot - 1), peak(slot), peak(slot + 1)});
    if (slot != state.slot) {  // what the slot just left has shown counts from now on
        if (state.slot >= 0) peak(state.slot) = std::max(options_.keep * peak(state.slot), state.slot_peak);
        state.slot = slot;
        state.slot_peak = 0.0;
    }
    state.slot_peak = std::max(state.slot_peak, score);
    return std::max(0.0, score - options_.recur * before);
}

double StreamWatch::alarm_of(State& state, double score) const {
    const bool free = state.last_score == 0.0 || state.since >= options_.hold;
    state.since += 1;
    if (!(score > options_.least) || !(free || score > options_.again * state.last_score + 1.0)) return 0.0;
    state.since = 1;
    state.last_score = score;
    return score;
}

index_t StreamWatch::memory_bytes() const {
    std::size_t bytes = states_.capacity() * sizeof(State);
    for (const State& state : states_)
        bytes += 8 * (state.levels.capacity() + state.peaks.capacity()) + sizeof(Slot) * state.slots.capacity() +
                 sizeof(TwoTails) * state.tails.capacity() + state.pattern.bytes();
    return static_cast<index_t>(bytes);
}

}  // namespace tiertwin::assure
