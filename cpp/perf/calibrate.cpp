#include "perf/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"

namespace tiertwin::perf {
namespace {

constexpr int kSweeps = 40;
constexpr double kWide = 0.25;    // variance of the first pass's prior: factors of e^(+-1) come through
constexpr double kLargest = 3.0;  // of |theta|: beyond a factor of 20 something else is wrong

void expect_size(const char* name, std::size_t got, std::size_t size, const char* unit) {
    if (got == size) return;
    throw InvalidArgument(std::string(name) + ": expected " + std::to_string(size) + " values (one per " + unit +
                          "), got " + std::to_string(got));
}

// What one window says, solved for the links' deviations.
class Fit {
  public:
    Fit(const Streams& s, const Prediction& p, const Window& w)
        : s_(s), p_(p), w_(w), trust_(s.flows), deviation_(s.links), decided_(s.links) {
        for (std::size_t f = 0; f < s_.flows; ++f) {
            const double n = w_.flow_packets[f], variance = p_.sd[f] * p_.sd[f];
            if (!(n > 0) || !std::isfinite(w_.flow_delay[f]) || !std::isfinite(p_.mean[f])) continue;
            const double noise = variance / n + 1e-12 * p_.mean[f] * p_.mean[f];
            trust_[f] = noise > 0 ? 1 / noise : 0;
        }
    }

    // `prior`: variance of each link's deviation.
    void solve(const std::vector<double>& prior) {
        std::vector<double> left(s_.flows);
        std::fill(deviation_.begin(), deviation_.end(), 0.0);
        for (std::size_t f = 0; f < s_.flows; ++f) left[f] = trust_[f] > 0 ? w_.flow_delay[f] - p_.mean[f] : 0;
        for (int sweep = 0; sweep < kSweeps; ++sweep)
            for (std::size_t l = 0; l < s_.links; ++l) step(l, prior[l], left);
    }
    [[nodiscard]] const std::vector<double>& deviation() const { return deviation_; }
    [[nodiscard]] const std::vector<double>& decided() const { return decided_; }  // 0..1

  private:
    void step(std::size_t l, double prior, std::vector<double>& left) {
        decided_[l] = 0;
        if (!(prior > 0) || !std::isfinite(prior)) return;
        double pull = 0, weight = 0;
        for (std::size_t i = s_.link_ptr[l]; i < s_.link_ptr[l + 1]; ++i) {
            const std::size_t h = s_.hop_at[i], f = at(s_.flow_of_hop[h]);
            if (trust_[f] <= 0) continue;
            const double wait = p_.hop_wait[h];
            pull += wait * trust_[f] * (left[f] + wait * deviation_[l]);
            weight += wait * wait * trust_[f];
        }
        if (w_.link_packets[l] > 0 && w_.link_wait[l] > 0 && std::isfinite(w_.link_wait[l]) && p_.link_wait[l] > 0) {
            // the wait of one packet varies about as much as its mean
            pull += w_.link_packets[l] * std::log(w_.link_wait[l] / p_.link_wait[l]);
            weight += w_.link_packets[l];
        }
        const double found = std::clamp(pull / (weight + 1 / prior), -kLargest, kLargest);
        for (std::size_t i = s_.link_ptr[l]; i < s_.link_ptr[l + 1]; ++i) {
            const std::size_t h = s_.hop_at[i];
            left[at(s_.flow_of_hop[h])] -= p_.hop_wait[h] * (found - deviation_[l]);
        }
        deviation_[l] = found;
        decided_[l] = weight / (weight + 1 / prior);
    }

    const Streams& s_;
    const Prediction& p_;
    const Window& w_;
    std::vector<double> trust_, deviation_, decided_;
};

// How much more the links vary than `expected` variances say, over what the data decided.
double excess(const Fit& fit, const std::vector<double>& expected) {
    double sum = 0, weight = 0;
    for (std::size_t l = 0; l < expected.size(); ++l) {
        const double g = fit.decided()[l], x = fit.deviation()[l];
        if (!(g > 0)) continue;
        sum += g * (x * x - expected[l]);
        weight += g;
    }
    return weight > 0 ? std::max(sum / weight, 0.0) : 0;
}

}  // namespace

void calibrate(const Streams& streams, const Prediction& predicted, const Window& window, const Learning& learning,
               LinkBelief& belief) {
    expect_size("flow_delay", window.flow_delay.size(), streams.flows, "flow");
    expect_size("flow_packets", window.flow_packets.size(), streams.flows, "flow");
    expect_size("link_wait", window.link_wait.size(), streams.links, "link");
    expect_size("link_packets", window.link_packets.size(), streams.links, "link");
    if (!(window.seconds > 0) || !std::isfinite(window.seconds))
        throw InvalidArgument("seconds: expected a window's length above 0, got " + std::to_string(window.seconds));
    if (!(learning.forget > 0 && learning.forget <= 1))
        throw InvalidArgument("forget: expected a factor above 0 and at most 1, got " +
                              std::to_string(learning.forget));
    std::vector<double> noise(streams.links), wide(streams.links), total(streams.links);
    const double keep = learning.forget * learning.forget;
    std::vector<double> forgotten(streams.links);  // what was predicted is still with it
    for (std::size_t l = 0; l < streams.links; ++l) {
        forgotten[l] = (1 - learning.forget) * belief.log_factor[l];
        belief.log_factor[l] -= forgotten[l];
        belief.variance[l] = keep * belief.variance[l] + (1 - keep) * learning.prior;
        noise[l] = predicted.memory[l] / window.seconds;
        total[l] = belief.variance[l] + noise[l];
        wide[l] = total[l] + kWide;
    }
    Fit fit(streams, predicted, window);
    fit.solve(wide);
    const double more = excess(fit, total);
    for (std::size_t l = 0; l < streams.links; ++l) total[l] += more;
    fit.solve(total);
    for (std::size_t l = 0; l < streams.links; ++l) {
        if (fit.decided()[l] <= 0) continue;
        const double v = belief.variance[l] + more, gain = v > 0 ? v / total[l] : 0;
        const double x = fit.deviation()[l] + forgotten[l] * fit.decided()[l];
        belief.log_factor[l] = std::clamp(belief.log_factor[l] + gain * x, -kLargest, kLargest);
        belief.variance[l] = v * (1 - gain * fit.decided()[l]);
    }
}

}  // namespace tiertwin::perf
