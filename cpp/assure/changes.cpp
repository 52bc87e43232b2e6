#include "assure/changes.hpp"

#include <algorithm>
#include <cmath>

#include "assure/checks.hpp"

namespace tiertwin::assure {
namespace {

constexpr double kMostChangeZ = 1e6, kConstantSeries = 1e-10;

// Density of Student's t with 2 alpha degrees of freedom, scale² = beta (kappa + 1) / (alpha kappa).
double predictive(double z, double mu, double kappa, double alpha, double beta) {
    const double scale = beta * (kappa + 1.0) / (alpha * kappa), away = z - mu;
    const double ln = std::lgamma(alpha + 0.5) - std::lgamma(alpha) -
                      0.5 * std::log(2.0 * alpha * scale * 3.14159265358979323846) -
                      (alpha + 0.5) * std::log1p(away * away / (2.0 * alpha * scale));
    return std::exp(ln);
}

}  // namespace

ChangePoints::ChangePoints(index_t series, const ChangeOptions& options) : options_(options) {
    expect_at_least("series", series, 1);
    expect_within("lambda", options.lambda, 1.0 + 1e-9, 1e12);
    expect_at_least("warm", options.warm, 2);
    expect_at_least("delay", options.delay, 1);
    expect_at_least("most", options.most, options.delay + 2);
    states_.resize(static_cast<std::size_t>(series));
    for (State& state : states_) state.runs.reserve(static_cast<std::size_t>(options.most) + 1);
}

void ChangePoints::push(std::span<const double> values, std::span<double> recent, std::span<index_t> length) {
    expect_rows(values, states_.size(), recent);
    expect_finite_or_missing(values, states_.size());
    for (std::size_t at = 0; at < values.size(); ++at) {
        State& state = states_[at % states_.size()];
        if (!std::isnan(values[at])) step(state, values[at]);
        recent[at] = state.recent;
        length[at] = state.length;
    }
}

void ChangePoints::step(State& state, double value) const {
    const bool moved = std::sqrt(state.square / std::max(state.seen, 1.0)) > kConstantSeries * std::fabs(state.mean);
    if (state.seen >= static_cast<double>(options_.warm) && moved) {
        const double spread = std::sqrt(state.square / state.seen);
        judge(state, std::clamp((value - state.mean) / spread, -kMostChangeZ, kMostChangeZ));
        return;
    }
    state.seen += 1.0;  // Welford
    const double away = value - state.mean;
    state.mean += away / state.seen;
    state.square += away * (value - state.mean);
}

void ChangePoints::judge(State& state, double z) const {
    auto& runs = state.runs;
    if (runs.empty()) runs.push_back({1.0, 0.0, 1.0, 1.0, 1.0});
    const double hazard = 1.0 / options_.lambda;
    double fallen = 0.0;
    for (Run& run : runs) {
        const double weight = run.weight * predictive(z, run.mu, run.kappa, run.alpha, run.beta);
        fallen += weight * hazard;
        const double away = z - run.mu;
        run = {weight * (1.0 - hazard), run.mu + away / (run.kappa + 1.0), run.kappa + 1.0, run.alpha + 0.5,
               run.beta + run.kappa * away * away / (2.0 * (run.kappa + 1.0))};
    }
    runs.insert(runs.begin(), {fallen, 0.0, 1.0, 1.0, 1.0});
    if (runs.size() > static_cast<std::size_t>(options_.most)) {  // the two longest become one
        runs[runs.size() - 2] = {runs[runs.size() - 2].weight + runs.back().weight, runs.back().mu, runs.back().kappa,
                                 runs.back().alpha, runs.back().beta};
        runs.pop_back();
    }
    double sum = 0.0;
    for (const Run& run : runs) sum += run.weight;
    if (!(sum > 0.0)) {  // no hypothesis explains it: all begins anew
        runs.assign(1, {1.0, 0.0, 1.0, 1.0, 1.0});
        sum = 1.0;
    }
    state.judged += 1;
    state.recent = 0.0;
    state.length = 0;
    for (std::size_t r = 0; r < runs.size(); ++r) {
        runs[r].weight /= sum;
        if (r <= static_cast<std::size_t>(options_.delay)) state.recent += runs[r].weight;
        if (runs[r].weight > runs[static_cast<std::size_t>(state.length)].weight)
            state.length = static_cast<index_t>(r);
    }
    if (state.judged <= options_.delay) state.recent = 0.0;
    state.recent = std::min(state.recent, 1.0);
}

index_t ChangePoints::memory_bytes() const {
    std::size_t bytes = states_.capacity() * sizeof(State);
    for (const State& state : states_) bytes += sizeof(Run) * state.runs.capacity();
    return static_cast<index_t>(bytes);
}

}  // namespace tiertwin::assure
