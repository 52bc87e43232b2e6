#include "alloc/deal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

// Rounding of a sum of many devices: caps may miss a group's rate by this share.
constexpr double kSlack = 1e-12;

struct Members {
    std::vector<std::size_t> start;   // [G+1]
    std::vector<std::size_t> device;  // by group, in device order
};

Members members_of(std::span<const index_t> group_of, std::size_t groups) {
    Members m{std::vector<std::size_t>(groups + 1, 0), std::vector<std::size_t>(group_of.size())};
    for (std::size_t n = 0; n < group_of.size(); ++n) {
        if (group_of[n] < 0 || static_cast<std::size_t>(group_of[n]) >= groups)
            throw InvalidArgument("group_of_device[" + std::to_string(n) + "]: expected a group in 0.." +
                                  std::to_string(groups) + " (exclusive), got " + std::to_string(group_of[n]));
        ++m.start[static_cast<std::size_t>(group_of[n]) + 1];
    }
    for (std::size_t g = 0; g < groups; ++g) m.start[g + 1] += m.start[g];
    std::vector<std::size_t> next(m.start.begin(), m.start.end() - 1);
    for (std::size_t n = 0; n < group_of.size(); ++n) m.device[next[static_cast<std::size_t>(group_of[n])]++] = n;
    return m;
}

[[noreturn]] void refuse(std::size_t group, double rate, const std::string& why) {
    throw InvalidArgument("x: group " + std::to_string(group) + " has " + std::to_string(rate) +
                          " tasks/s to deal, but " + why);
}

// theta of s_n = min(cap_n, theta weight_n): devices leave the common level in order of cap/weight.
double level(std::span<const std::size_t> devices, std::span<const double> weight, std::span<const double> cap,
             double rate, std::size_t group) {
    std::vector<std::size_t> order(devices.begin(), devices.end());
    const auto full_at = [&](std::size_t n) {
        return weight[n] > 0.0 ? cap[n] / weight[n] : std::numeric_limits<double>::infinity();
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return full_at(a) != full_at(b) ? full_at(a) < full_at(b) : a < b; });
    double left = rate, weights = 0.0;
    for (std::size_t n : order) weights += weight[n];
    for (std::size_t n : order) {
        if (weight[n] <= 0.0) break;
        if (left <= full_at(n) * weights) return left / weights;
        left -= cap[n];
        weights = std::max(weights - weight[n], 0.0);
    }
    if (left > kSlack * rate) refuse(group, rate, "its devices may take only " + std::to_string(rate - left));
    return std::numeric_limits<double>::infinity();
}

// Rates of the devices of one group, summing to `rate`.
void split(std::span<const std::size_t> devices, std::span<const double> weight, std::span<const double> cap,
           double rate, std::size_t group, std::vector<double>& share) {
    double weights = 0.0;
    for (std::size_t n : devices) weights += weight[n];
    if (cap.empty()) {
        for (std::size_t k = 0; k < devices.size(); ++k)
            share[k] =
                weights > 0.0 ? rate * (weight[devices[k]] / weights) : rate / static_cast<double>(devices.size());
        return;
    }
    std::vector<double> even;
    if (weights <= 0.0) even.assign(weight.size(), 1.0);
    const auto used = weights > 0.0 ? weight : std::span<const double>(even);
    const double theta = level(devices, used, cap, rate, group);
    for (std::size_t k = 0; k < devices.size(); ++k) {
        const std::size_t n = devices[k];
        share[k] = used[n] > 0.0 ? std::min(cap[n], theta * used[n]) : 0.0;
    }
}

}  // namespace

void deal(std::span<const index_t> group_of, std::span<const double> weight, std::span<const double> x, index_t tiers,
          std::span<const double> cap, std::span<double> out) {
    const auto t = static_cast<std::size_t>(tiers);
    const std::size_t groups = t > 0 ? x.size() / t : 0;
    const Members m = members_of(group_of, groups);
    std::fill(out.begin(), out.end(), 0.0);
    std::vector<double> share;
    for (std::size_t g = 0; g < groups; ++g) {
        const auto rates = x.subspan(g * t, t);
        double rate = 0.0;
        for (double value : rates) rate += value;
        if (rate <= 0.0) continue;
        const auto devices = std::span(m.device).subspan(m.start[g], m.start[g + 1] - m.start[g]);
        if (devices.empty()) refuse(g, rate, "no device");
        share.assign(devices.size(), 0.0);
        split(devices, weight, cap, rate, g, share);
        for (std::size_t k = 0; k < devices.size(); ++k)
            for (std::size_t c = 0; c < t; ++c) out[devices[k] * t + c] = share[k] * (rates[c] / rate);
    }
}

}  // namespace tiertwin::alloc
