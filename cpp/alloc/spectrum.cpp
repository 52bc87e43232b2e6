#include "alloc/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "alloc/options.hpp"
#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

void require_range(const char* name, std::span<const double> values, double least, double most, bool open) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool low = open ? values[i] > least : values[i] >= least;
        if (low && values[i] <= most) continue;
        throw InvalidArgument(std::string(name) + "[" + std::to_string(i) + "]: expected a finite number " +
                              (open ? "> " : ">= ") + std::to_string(least) + ", got " + std::to_string(values[i]));
    }
}

// What cell i sends into a hertz at user k, in W, at its full activity or at its mean one.
struct Sent {
    std::vector<double> density;  // [C] p_i / B_i

    Sent(const Cluster& c, std::span<const double> power) : density(c.cells()) {
        for (std::size_t i = 0; i < density.size(); ++i) density[i] = power[i] / c.bandwidth[i];
    }
};

double interference(const Cluster& c, const Sent& sent, std::size_t k, std::size_t own) {
    const double* gain = c.gain.data() + k * c.cells();
    double sum = c.outside[k] + c.noise;
    for (std::size_t i = 0; i < c.cells(); ++i)
        if (i != own) sum += c.activity[i] * sent.density[i] * gain[i];
    return sum;
}

constexpr double kLn2 = 0.693147180559945309417232121458;

// F and its gradient by q; users whose efficiency is capped push nobody.
class Objective {
  public:
    Objective(const Cluster& c, std::span<const index_t> cell, std::span<const double> weight)
        : c_(c), cell_(cell), weight_(weight) {}

    double operator()(std::span<const double> q, std::span<double> gradient) const {
        std::vector<double> power(q.size());
        for (std::size_t j = 0; j < q.size(); ++j) power[j] = std::exp(q[j]);
        const Sent sent(c_, power);
        std::fill(gradient.begin(), gradient.end(), 0.0);
        double value = 0.0;
        for (std::size_t k = 0; k < c_.users(); ++k)
            if (cell_[k] >= 0 && weight_[k] > 0.0) value += add(sent, k, static_cast<std::size_t>(cell_[k]), gradient);
        return value;
    }

  private:
    double add(const Sent& sent, std::size_t k, std::size_t own, std::span<double> gradient) const {
        const double* gain = c_.gain.data() + k * c_.cells();
        const double signal = sent.density[own] * gain[own];
        if (signal == 0.0) return 0.0;
        const double others = interference(c_, sent, k, own), ratio = signal / others;
        const double nats = std::log1p(ratio), e = c_.efficiency * nats / kLn2;
        if (e >= c_.cap) return weight_[k] * std::log(c_.cap);
        const double push = weight_[k] * (ratio / (1.0 + ratio)) / nats;
        gradient[own] += push;
        for (std::size_t i = 0; i < c_.cells(); ++i)
            if (i != own) gradient[i] -= push * c_.activity[i] * sent.density[i] * gain[i] / others;
        return weight_[k] * std::log(e);
    }

    const Cluster& c_;
    std::span<const index_t> cell_;
    std::span<const double> weight_;
};

double box_gap(std::span<const double> q, std::span<const double> gradient, std::span<const double> low,
               std::span<const double> high) {
    double gap = 0.0;
    for (std::size_t j = 0; j < q.size(); ++j)
        gap += std::max(gradient[j] * (high[j] - q[j]), gradient[j] * (low[j] - q[j]));
    return gap;
}

std::vector<double> logs(std::span<const double> values) {
    std::vector<double> out(values.size());
    std::transform(values.begin(), values.end(), out.begin(), [](double v) { return std::log(v); });
    return out;
}

}  // namespace

void Cluster::check() const {
    const std::size_t n = cells();
    require_length("gain", gain.size(), users() * n, "pair of user and cell");
    for (const auto& [name, values] : {std::pair{"power_least", least}, {"power_most", most}, {"activity", activity}})
        require_length(name, values.size(), n, "cell");
    constexpr double kMost = std::numeric_limits<double>::max();
    require_range("gain", gain, 0.0, kMost, false);
    require_range("bandwidth", bandwidth, 0.0, kMost, true);
    require_range("power_least", least, 0.0, kMost, true);
    require_range("power_most", most, 0.0, kMost, true);
    require_range("activity", activity, 0.0, 1.0, false);
    require_range("outside", outside, 0.0, kMost, false);
    require_range("noise, efficiency, cap", std::vector<double>{noise, efficiency, cap}, 0.0, kMost, true);
    for (std::size_t j = 0; j < n; ++j)
        if (least[j] > most[j])
            throw InvalidArgument("power_least[" + std::to_string(j) + "]: expected at most the most, " +
                                  std::to_string(most[j]) + " W, got " + std::to_string(least[j]));
}

void spectral_efficiency(const Cluster& c, std::span<const double> power, std::span<double> out) {
    const Sent sent(c, power);
    const std::size_t n = c.cells();
    for (std::size_t k = 0; k < c.users(); ++k) {
        const double* gain = c.gain.data() + k * n;
        for (std::size_t j = 0; j < n; ++j) {
            const double signal = sent.density[j] * gain[j];
            const double e = signal > 0.0 ? std::log1p(signal / interference(c, sent, k, j)) / kLn2 : 0.0;
            out[k * n + j] = std::min(c.efficiency * e, c.cap);
        }
    }
}

PowerAnswer ascend_power(const Cluster& c, std::span<const index_t> cell, std::span<const double> weight,
                         std::span<const double> start, index_t iteration_limit, double tolerance) {
    const std::size_t n = c.cells();
    const std::vector<double> low = logs(c.least), high = logs(c.most);
    std::vector<double> q = logs(start), gradient(n), next(n), next_gradient(n);
    for (std::size_t j = 0; j < n; ++j) q[j] = std::clamp(q[j], low[j], high[j]);
    const Objective objective(c, cell, weight);
    double total = 0.0;
    for (double w : weight) total += w;
    PowerAnswer out;
    out.value = objective(q, gradient);
    out.gap = box_gap(q, gradient, low, high);
    double step = 1.0 / std::max(total, std::numeric_limits<double>::min());
    while (out.iterations < iteration_limit && out.gap > tolerance * total) {
        double value = 0.0, slope = 0.0;
        bool better = false;
        for (int halving = 0; halving < 40 && !better; ++halving, step *= 0.5) {
            slope = 0.0;
            for (std::size_t j = 0; j < n; ++j) {
                next[j] = std::clamp(q[j] + step * gradient[j], low[j], high[j]);
                slope += gradient[j] * (next[j] - q[j]);
            }
            value = objective(next, next_gradient);
            better = value >= out.value + 1e-4 * slope && value > out.value;
        }
        if (!better) break;
        double moved = 0.0, bent = 0.0;
        for (std::size_t j = 0; j < n; ++j) {
            const double d = next[j] - q[j];
            moved += d * d;
            bent -= d * (next_gradient[j] - gradient[j]);
        }
        step = bent > 0.0 ? std::clamp(moved / bent, 1e-6 / total, 1e6 / total) : 1e6 / total;
        q.swap(next);
        gradient.swap(next_gradient);
        out.value = value;
        out.gap = box_gap(q, gradient, low, high);
        ++out.iterations;
    }
    out.power.resize(n);
    for (std::size_t j = 0; j < n; ++j) out.power[j] = std::clamp(std::exp(q[j]), c.least[j], c.most[j]);
    return out;
}

}  // namespace tiertwin::alloc
