#include "assure/shift.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "assure/checks.hpp"
#include "base/error.hpp"

namespace tiertwin::assure {
namespace {

constexpr double kRounding = 1e-9, kMostShiftZ = 1e6;

void check(const ShiftOptions& options) {
    if (options.mean < 1)
        throw InvalidArgument("mean: expected at least 1 sample, got " + std::to_string(options.mean));
    if (options.clean < 2 * options.mean + 8)
        throw InvalidArgument("clean: expected at least 2 × mean + 8 = " + std::to_string(2 * options.mean + 8) +
                              " samples, got " + std::to_string(options.clean));
    expect_within("gain", options.gain, 0.0, 1.0);
    expect_within("quantile", options.quantile, 0.5, 1.0);
    expect_positive("factor", options.factor);
}

}  // namespace

ShiftWatch::ShiftWatch(index_t attributes, const ShiftOptions& options) : options_(options) {
    if (attributes < 1) throw InvalidArgument("attributes: expected at least 1, got " + std::to_string(attributes));
    check(options);
    states_.resize(static_cast<std::size_t>(attributes));
    for (State& state : states_) state.ring.assign(static_cast<std::size_t>(options.mean), 0.0);
}

void ShiftWatch::push(std::span<const double> values, std::span<double> z) {
    expect_rows(values, states_.size(), z);
    expect_finite_or_missing(values, states_.size());
    for (std::size_t at = 0; at < values.size(); ++at) {
        State& state = states_[at % states_.size()];
        z[at] = std::isnan(values[at]) ? state.z : step(state, values[at]);
    }
}

double ShiftWatch::step(State& state, double value) const {
    const index_t w = options_.mean, seen = state.seen++;
    state.ring[static_cast<std::size_t>(seen % w)] = value;
    state.largest = std::max(state.largest, seen < options_.clean ? std::fabs(value) : 0.0);
    if (seen < w) return 0.0;
    double mean = 0.0;
    for (const double x : state.ring) mean += x / static_cast<double>(w);
    if (seen == w) state.level = mean;
    const double away = mean - state.level;
    if (seen < options_.clean) {
        learn(state, away);
        return 0.0;
    }
    const double r = std::fabs(away);
    state.z = r == 0.0 ? 0.0 : std::min(r / state.limit, kMostShiftZ);
    if (!(state.z > options_.factor)) state.level += options_.gain * away;
    return state.z;
}

void ShiftWatch::learn(State& state, double away) const {
    state.level += options_.gain * away;
    if (state.seen > 2 * options_.mean) state.clean.push_back(std::fabs(away));
    if (state.seen < options_.clean) return;
    state.limit = std::max(quantile_of(state.clean, options_.quantile), kRounding * state.largest);
    state.clean = {};
}

double ShiftWatch::limit(index_t attribute) const {
    if (attribute < 0 || attribute >= attributes())
        throw NotFound("attribute: expected 0 … " + std::to_string(attributes() - 1) + ", got " +
                       std::to_string(attribute));
    const State& state = states_[static_cast<std::size_t>(attribute)];
    return state.seen < options_.clean ? std::numeric_limits<double>::quiet_NaN() : state.limit;
}

index_t ShiftWatch::memory_bytes() const {
    std::size_t bytes = states_.capacity() * sizeof(State);
    for (const State& state : states_) bytes += 8 * (state.ring.capacity() + state.clean.capacity());
    return static_cast<index_t>(bytes);
}

}  // namespace tiertwin::assure
