#include "assure/lying.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "assure/checks.hpp"
#include "base/error.hpp"

namespace tiertwin::assure {
namespace {

constexpr double kLeast = 1e-9;  // expected tasks: below, a count of anything has no likelihood

void check(const LieOptions& options) {
    if (options.decays.empty()) throw InvalidArgument("decays: expected at least one, got none");
    if (!std::is_sorted(options.decays.begin(), options.decays.end()))
        throw InvalidArgument("decays: expected them in rising order");
    for (const double decay : options.decays) expect_within("decay", decay, 0.0, 0.9999);
    expect_within("spread", options.spread, 1.0, 1e6);
    expect_within("slack", options.slack, 0.0, 1e12);
    expect_within("slack_rate", options.slack_rate, 0.0, 1e6);
    expect_within("noise", options.noise, 0.0, 1.0);
    expect_within("repeat", options.repeat, 0.0, 700.0);
    expect_within("forget", options.forget, 0.0, 0.9999);
    expect_within("common", options.common, 0.0, 1.0);
    expect_positive("limit", options.limit);
    expect_within("calm", options.calm, 0.0, 1.0);
    expect_within("most_share", options.most_share, 0.0, 1.0);
    expect_at_least("prints", options.prints, 0);
    expect_at_least("warm", options.warm, 0);
    expect_at_least("hold", options.hold, 1);
}

void expect_size(const char* name, std::size_t got, std::size_t expected) {
    if (got != expected)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) +
                              " numbers (one a child), got " + std::to_string(got));
}

// How far a count of mean e is from X, nats.
double away(double x, double e) {
    e = std::max(e, kLeast);
    return x > 0.0 ? x * std::log(x / e) - x + e : e;
}

// Of the bits of the numbers measured (splitmix64's mixer); 0: they prove nothing.
std::uint64_t print_of(std::span<const double> measured) {
    std::uint64_t hash = 0x9e3779b97f4a7c15ULL;
    bool any = false;
    for (const double value : measured) {
        if (std::isnan(value) || value == 0.0) continue;
        any = true;
        hash = (hash ^ std::bit_cast<std::uint64_t>(value)) + 0x9e3779b97f4a7c15ULL;
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
        hash ^= hash >> 31;
    }
    return any ? std::max<std::uint64_t>(hash, 1) : 0;
}

}  // namespace

LieWatch::LieWatch(index_t children, LieOptions options) : options_(std::move(options)) {
    if (children < 1) throw InvalidArgument("children: expected at least 1, got " + std::to_string(children));
    check(options_);
    const auto count = static_cast<std::size_t>(children);
    states_.resize(count);
    for (State& state : states_) {
        state.windows.assign(3 * options_.decays.size(), 0.0);
        state.prints.assign(static_cast<std::size_t>(options_.prints), 0);
    }
    evidence_.assign(count, 0.0);
    reason_.assign(count, 0);
    quarantine_.assign(count, 0);
}

index_t LieWatch::push(const Claims& claims) {
    const std::size_t count = states_.size();
    expect_size("fresh", claims.fresh.size(), count);
    expect_size("made", claims.made.size(), count);
    expect_size("done", claims.done.size(), count);
    expect_size("missed", claims.missed.size(), count);
    expect_size("least", claims.least.size(), count);
    expect_size("most", claims.most.size(), count);
    expect_size("bounds", claims.bounds.size(), count);
    if (claims.measured.size() % count != 0)
        throw InvalidArgument("measured: expected whole rows, one a child of " + std::to_string(count) + ", got " +
                              std::to_string(claims.measured.size()) + " numbers");
    look_for_repeats(claims);
    std::size_t reports = 0, suspects = 0;
    for (std::size_t child = 0; child < count; ++child) {
        if (claims.fresh[child] == 0) continue;
        State& state = states_[child];
        const Held held = judge(state, claims, child);
        ++reports;
        suspects += held.nats > options_.limit ? 1 : 0;
        evidence_[child] = held.nats;
        reason_[child] = static_cast<std::int8_t>(held.reason);
        state.quiet = held.nats < options_.calm * options_.limit ? state.quiet + 1 : 0;
        ++state.seen;
    }
    suspected_ = reports == 0 ? 0.0 : static_cast<double>(suspects) / static_cast<double>(reports);
    return release() + admit();
}

void LieWatch::look_for_repeats(const Claims& claims) {
    const std::size_t count = states_.size(), width = claims.measured.size() / count;
    std::size_t fresh = 0, matched = 0;
    for (std::size_t child = 0; child < count; ++child) {
        State& state = states_[child];
        state.matched = false;
        if (claims.fresh[child] == 0) continue;
        ++fresh;
        match(state, print_of(claims.measured.subspan(child * width, width)));
        matched += state.matched ? 1 : 0;
    }
    repeating_ = fresh == 0 ? 0.0 : static_cast<double>(matched) / static_cast<double>(fresh);
    const bool usual = repeating_ > options_.common;
    for (std::size_t child = 0; child < count; ++child) {
        State& state = states_[child];
        if (claims.fresh[child] == 0) continue;
        state.repeated = options_.forget * state.repeated + (state.matched && !usual ? options_.repeat : 0.0);
    }
}

void LieWatch::match(State& state, std::uint64_t print) const {
    if (print == 0 || state.prints.empty()) return;
    const auto newest = static_cast<std::size_t>(state.matches) % state.prints.size();
    const std::size_t before = (newest + state.prints.size() - 1) % state.prints.size();
    if (state.prints[before] == print) {
        state.matched = true;
        state.again = static_cast<std::int8_t>(LieReason::kFrozen);
        return;  // remembered already
    }
    if (std::find(state.prints.begin(), state.prints.end(), print) != state.prints.end()) {
        state.matched = true;
        state.again = static_cast<std::int8_t>(LieReason::kReplayed);
    }
    state.prints[newest] = print;
    ++state.matches;
}

LieWatch::Held LieWatch::judge(State& state, const Claims& claims, std::size_t child) const {
    Held held;
    if (claims.bounds[child] > 0.0) held.raise(claims.bounds[child], LieReason::kBounds);
    const double made = claims.made[child];
    if (!std::isnan(made) && !std::isnan(claims.least[child]) && !std::isnan(claims.most[child]))
        level(state, std::max(made, 0.0), claims.least[child], claims.most[child], held);
    if (!std::isnan(made) && !std::isnan(claims.done[child]) && !std::isnan(claims.missed[child]))
        balance(state, made, claims.done[child], claims.missed[child], held);
    if (state.repeated > 0.0) held.raise(state.repeated, static_cast<LieReason>(state.again));
    return held;
}

void LieWatch::level(State& state, double made, double least, double most, Held& held) const {
    for (std::size_t k = 0; k < options_.decays.size(); ++k) {
        double* window = &state.windows[3 * k];
        const double decay = options_.decays[k];
        window[0] = decay * window[0] + made;
        window[1] = decay * window[1] + least;
        window[2] = decay * window[2] + most;
        if (state.seen < options_.warm) continue;
        if (window[0] > window[2]) held.raise(away(window[0], window[2]) / options_.spread, LieReason::kMore);
        if (window[0] < window[1]) held.raise(away(window[0], window[1]) / options_.spread, LieReason::kLess);
    }
}

void LieWatch::balance(State& state, double made, double done, double missed, Held& held) const {
    const double decay = options_.decays.back();
    const double* window = &state.windows[3 * (options_.decays.size() - 1)];
    state.done = decay * state.done + done;
    state.missed = decay * state.missed + missed;
    state.squares = decay * decay * state.squares + made * made;
    if (state.seen < options_.warm) return;
    const double allowed = options_.slack + options_.slack_rate * window[2] * (1.0 - decay) +
                           3.0 * options_.noise * std::sqrt(state.squares);
    const double off = std::max(state.done - window[0], window[0] - state.done - state.missed);
    held.raise(off - allowed, LieReason::kBalance);
}

index_t LieWatch::release() {
    index_t changed = 0;
    for (std::size_t child = 0; child < states_.size(); ++child) {
        if (quarantine_[child] == 0 || states_[child].quiet < options_.hold) continue;
        quarantine_[child] = 0;
        ++changed;
    }
    return changed;
}

index_t LieWatch::admit() {
    const auto room = static_cast<std::size_t>(options_.most_share * static_cast<double>(states_.size()));
    auto held = static_cast<std::size_t>(
        std::count_if(quarantine_.begin(), quarantine_.end(), [](std::int8_t why) { return why != 0; }));
    std::vector<std::size_t> suspects;
    for (std::size_t child = 0; child < states_.size(); ++child) {
        if (quarantine_[child] == 0 && evidence_[child] > options_.limit) suspects.push_back(child);
    }
    std::stable_sort(suspects.begin(), suspects.end(),
                     [this](std::size_t a, std::size_t b) { return evidence_[a] > evidence_[b]; });
    index_t changed = 0;
    for (const std::size_t child : suspects) {
        if (held >= room) break;
        quarantine_[child] = reason_[child];
        states_[child].quiet = 0;
        ++held;
        ++changed;
    }
    return changed;
}

index_t LieWatch::memory_bytes() const {
    std::size_t bytes = states_.capacity() * (sizeof(State) + sizeof(double) + 2);
    for (const State& state : states_) bytes += 8 * (state.windows.capacity() + state.prints.capacity());
    return static_cast<index_t>(bytes);
}

}  // namespace tiertwin::assure
