#include "forecast/trends.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::forecast {
namespace {

// Of the line through the last m values at a stride, times m_full.
double slope_of(const double* last, std::size_t m, std::size_t stride, double scale) {
    if (m < 2) return 0.0;
    const double middle = 0.5 * (static_cast<double>(m) - 1.0);
    double product = 0.0, square = 0.0;
    for (std::size_t i = 0; i < m; ++i) {  // i cycles before the newest
        const double t = middle - static_cast<double>(i);
        product += t * *(last - i * stride);
        square += t * t;
    }
    return scale * product / square;
}

void of_run(const double* x, std::size_t cycles, std::size_t sensors, const TrendOptions& options, double* out) {
    const std::size_t taus = options.taus.size(), width = sensors * (taus + 2);
    const auto window = static_cast<std::size_t>(options.window), first = static_cast<std::size_t>(options.first);
    std::vector<double> sums(taus * sensors, 0.0), weights(taus, 0.0), begin(sensors, 0.0);
    for (std::size_t c = 0; c < cycles; ++c, out += width) {
        const double* const now = x + c * sensors;
        for (std::size_t k = 0; k < taus; ++k) {
            const double kept = std::exp(-1.0 / options.taus[k]);
            weights[k] = kept * weights[k] + 1.0;
            for (std::size_t s = 0; s < sensors; ++s) {
                double& sum = sums[k * sensors + s];
                sum = kept * sum + now[s];
                out[k * sensors + s] = sum / weights[k];
            }
        }
        const std::size_t m = std::min(c + 1, window), begun = std::min(c + 1, first);
        for (std::size_t s = 0; s < sensors; ++s) {
            out[taus * sensors + s] = slope_of(now + s, m, sensors, static_cast<double>(window));
            if (c < first) begin[s] += now[s];
            out[(taus + 1) * sensors + s] = begin[s] / static_cast<double>(begun);
        }
    }
}

void check(std::span<const double> values, index_t sensors, std::span<const index_t> ptr, const TrendOptions& options) {
    if (sensors < 1) throw InvalidArgument("sensors: expected at least 1, got " + std::to_string(sensors));
    for (const double tau : options.taus)
        if (!(tau > 0.0 && std::isfinite(tau)))
            throw InvalidArgument("taus: expected positive numbers of cycles, got " + std::to_string(tau));
    if (options.window < 2 || options.first < 1)
        throw InvalidArgument("expected window >= 2 and first >= 1, got " + std::to_string(options.window) + " and " +
                              std::to_string(options.first));
    if (ptr.size() < 2 || ptr.front() != 0 ||
        static_cast<std::size_t>(ptr.back()) * static_cast<std::size_t>(sensors) != values.size())
        throw InvalidArgument("ptr: expected 0 … " + std::to_string(values.size() / static_cast<std::size_t>(sensors)) +
                              " (a start a run, and the end)");
    for (std::size_t r = 0; r + 1 < ptr.size(); ++r)
        if (ptr[r + 1] <= ptr[r])
            throw InvalidArgument("ptr: run " + std::to_string(r) + " has no cycles; expected at least one");
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            throw InvalidArgument("values[" + std::to_string(i) + "]: expected a finite value, got " +
                                  std::to_string(values[i]));
}

// Means of pools that are alike but for rounding are equal: which of them came out a bit larger is chance.
bool is_below(double a, double b) { return b - a > 1e-12 * std::max(std::abs(a), std::abs(b)); }

}  // namespace

void trends(std::span<const double> values, index_t sensors, std::span<const index_t> ptr, const TrendOptions& options,
            std::span<double> out) {
    check(values, sensors, ptr, options);
    const auto width = static_cast<std::size_t>(sensors);
    const std::size_t columns = width * (options.taus.size() + 2);
    if (out.size() != static_cast<std::size_t>(ptr.back()) * columns)
        throw InvalidArgument("out: expected room for " + std::to_string(columns) + " columns a cycle");
    for (std::size_t r = 0; r + 1 < ptr.size(); ++r) {
        const auto begin = static_cast<std::size_t>(ptr[r]), end = static_cast<std::size_t>(ptr[r + 1]);
        of_run(values.data() + begin * width, end - begin, width, options, out.data() + begin * columns);
    }
}

void isotonic(std::span<double> values, std::span<const double> weights, double least) {
    if (weights.size() != values.size())
        throw InvalidArgument("weights: expected " + std::to_string(values.size()) + " (one a value), got " +
                              std::to_string(weights.size()));
    if (!(least >= 0.0 && std::isfinite(least)))
        throw InvalidArgument("least: expected a finite weight of at least 0, got " + std::to_string(least));
    struct Pool {
        double mean, weight;
        std::size_t size;
    };
    std::vector<Pool> pools;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i]) || !(weights[i] > 0.0 && std::isfinite(weights[i])))
            throw InvalidArgument("at index " + std::to_string(i) +
                                  ": expected a finite value and a positive, finite weight");
        pools.push_back({values[i], weights[i], 1});
        while (pools.size() > 1) {
            const Pool& below = pools[pools.size() - 2];
            if (below.weight >= least && is_below(below.mean, pools.back().mean)) break;
            const Pool top = pools.back();
            pools.pop_back();
            Pool& under = pools.back();
            const double weight = under.weight + top.weight;
            under = {(under.mean * under.weight + top.mean * top.weight) / weight, weight, under.size + top.size};
        }
    }
    std::size_t at = 0;
    for (const Pool& pool : pools)
        for (std::size_t k = 0; k < pool.size; ++k) values[at++] = pool.mean;
}

}  // namespace tiertwin::forecast
