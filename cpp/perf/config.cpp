#include "perf/config.hpp"

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"
#include "base/infinity.hpp"

namespace tiertwin::perf {
namespace {

constexpr double kSlack = 1e-9;  // of moments: the rounding of whoever computed them

template <typename T>
void expect_size(const char* name, const std::vector<T>& values, std::size_t size, const char* unit) {
    if (values.size() == size) return;
    throw InvalidArgument(std::string(name) + ": expected " + std::to_string(size) + " values (one per " + unit +
                          "), got " + std::to_string(values.size()));
}

void expect_within(const char* name, const std::vector<double>& values, double low, double high, const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= low && values[i] <= high) continue;  // NaN never does
        throw InvalidArgument(element(name, i) + ": expected " + what + ", got " + std::to_string(values[i]));
    }
}

void expect_whole(const char* name, const std::vector<std::int64_t>& values, std::int64_t low, std::int64_t high,
                  const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= low && values[i] <= high) continue;
        throw InvalidArgument(element(name, i) + ": expected " + what + " from " + std::to_string(low) + " to " +
                              std::to_string(high) + ", got " + std::to_string(values[i]));
    }
}

void check_sizes(const Traffic& t) {
    expect_within("flow_size", t.flow_size, 1e-9, 1e9, "a mean packet size in bytes above 0");
    for (std::size_t f = 0; f < t.flow_size.size(); ++f) {
        const double m1 = t.flow_size[f], m2 = t.flow_size2[f], m3 = t.flow_size3[f];
        if (!(m2 >= m1 * m1 * (1 - kSlack) && m2 <= 1e18))
            throw InvalidArgument(element("flow_size2", f) +
                                  ": expected the second moment, at least the mean squared (" +
                                  std::to_string(m1 * m1) + "), got " + std::to_string(m2));
        if (!(m3 >= m2 * m2 / m1 * (1 - kSlack) && m3 <= 1e27))
            throw InvalidArgument(element("flow_size3", f) + ": expected the third moment, at least E[S^2]^2/E[S] (" +
                                  std::to_string(m2 * m2 / m1) + "), got " + std::to_string(m3));
        if (!(t.flow_smallest[f] >= 0 && t.flow_smallest[f] <= m1 * (1 + kSlack)))
            throw InvalidArgument(element("flow_smallest", f) + ": expected a size from 0 to the mean (" +
                                  std::to_string(m1) + " bytes), got " + std::to_string(t.flow_smallest[f]));
        if (!(t.flow_largest[f] >= m1 * (1 - kSlack)))
            throw InvalidArgument(element("flow_largest", f) + ": expected a size of at least the mean (" +
                                  std::to_string(m1) + " bytes), got " + std::to_string(t.flow_largest[f]));
    }
}

void check_kinds(const Traffic& t) {
    expect_whole("link_kind", t.link_kind, 0, 2, "0 (fifo), 1 (sharing) or 2 (priority),");
    for (std::size_t l = 0; l < t.link_kind.size(); ++l) {
        if (t.link_kind[l] == 0 || t.link_buffer[l] == kNoLimit) continue;
        throw InvalidArgument(element("link_buffer", l) + ": expected " + std::to_string(kNoLimit) +
                              " (unlimited) at a sharing or priority link, got " + std::to_string(t.link_buffer[l]) +
                              "; losses are modelled for fifo links only");
    }
}

}  // namespace

Coefficients Coefficients::from(const std::vector<double>& values) {
    expect_size("coefficients", values, kCount, "coefficient");
    expect_within("coefficients", values, 0, 100, "a number from 0 to 100");
    return {values[0], values[1], values[2], values[3],  values[4],  values[5], values[6],
            values[7], values[8], values[9], values[10], values[11], values[12]};
}

std::array<double, Coefficients::kCount> Coefficients::values() const {
    return {own_fade, size_fade, smooth_share, smooth_memory, smooth_sizes, joint_variance, joint_skew,
            mean_sd,  own_sd,    smooth_sd,    tail_sd,       loss_sd,      burst_sd};
}

void Paths::validate() const {
    if (links < 0) throw InvalidArgument("links: expected a number of links, got " + std::to_string(links));
    const auto size = static_cast<std::int64_t>(path_links.size());
    if (path_ptr.empty() || path_ptr.front() != 0 || path_ptr.back() != size)
        throw InvalidArgument("path_ptr: expected to begin with 0 and to end with " + std::to_string(size) +
                              " (the length of path_links)");
    for (std::size_t f = 0; f < flows(); ++f) {
        if (path_ptr[f + 1] > path_ptr[f] && path_ptr[f + 1] <= size) continue;
        throw InvalidArgument(element("path_ptr", f + 1) + ": expected more than " + std::to_string(path_ptr[f]) +
                              " (flow " + std::to_string(f) + " needs a link at least) and at most " +
                              std::to_string(size) + ", got " + std::to_string(path_ptr[f + 1]));
    }
    expect_whole("path_links", path_links, 0, links - 1, "a link");
}

void Traffic::validate(std::size_t links, std::size_t flows) const {
    for (const auto& [name, values] : {std::pair{"link_rate_bps", &link_rate_bps},
                                       {"link_delay_ns", &link_delay_ns},
                                       {"link_idle_w", &link_idle_w},
                                       {"link_full_w", &link_full_w}})
        expect_size(name, *values, links, "link");
    expect_size("link_buffer", link_buffer, links, "link");
    expect_size("link_kind", link_kind, links, "link");
    for (const auto& [name, values] : {std::pair{"flow_pps", &flow_pps},
                                       {"flow_size", &flow_size},
                                       {"flow_size2", &flow_size2},
                                       {"flow_size3", &flow_size3},
                                       {"flow_smallest", &flow_smallest},
                                       {"flow_largest", &flow_largest},
                                       {"flow_ca2", &flow_ca2},
                                       {"flow_burst_s", &flow_burst_s}})
        expect_size(name, *values, flows, "flow");
    expect_size("flow_class", flow_class, flows, "flow");
    expect_within("link_rate_bps", link_rate_bps, 1e-3, 1e18, "a rate in bit/s above 0");
    expect_within("link_delay_ns", link_delay_ns, 0, 1e18, "a propagation delay in ns, 0 or more");
    expect_within("link_idle_w", link_idle_w, 0, 1e12, "a power in W, 0 or more");
    expect_within("link_full_w", link_full_w, 0, 1e12, "a power in W, 0 or more");
    expect_within("flow_pps", flow_pps, 0, 1e15, "packets a second, 0 or more");
    expect_within("flow_ca2", flow_ca2, 0, 1e9, "an index of dispersion, 0 or more");
    expect_within("flow_burst_s", flow_burst_s, 0, kInfinity, "a correlation time in s, 0 or more");
    expect_whole("link_buffer", link_buffer, 0, kNoLimit, "a number of packets that may wait");
    expect_whole("flow_class", flow_class, 0, kMostClasses - 1, "a priority class");
    check_sizes(*this);
    check_kinds(*this);
}

}  // namespace tiertwin::perf
