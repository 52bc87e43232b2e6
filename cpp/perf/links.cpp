#include "perf/links.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/index.hpp"
#include "perf/sizes.hpp"

namespace tiertwin::perf {
namespace {

constexpr int kMostRounds = 200, kDampedFrom = 20, kBurstRounds = 12;
constexpr double kStill = 1e-12;  // change of a loss at which rates stand still

void add(Sums& to, double pps, double m1, double m2, double m3) {
    to.pps += pps;
    to.bytes += pps * m1;
    to.bytes2 += pps * m2;
    to.bytes3 += pps * m3;
}

// Share of the long-run dispersion that shows over a time of x correlation times.
double shown(double x) { return x < 1e-6 ? x / 2 : x > 1e12 ? 1.0 : 1 + std::expm1(-x) / x; }

TwoPoint law_of(const Sums& s) { return two_point(s.bytes / s.pps, s.bytes2 / s.pps, s.bytes3 / s.pps); }

}  // namespace

Links::Links(const Streams& streams, const Traffic& traffic, const Coefficients& coefficients,
             const std::vector<double>& log_factor)
    : s_(streams),
      t_(traffic),
      c_(coefficients),
      log_factor_(log_factor),
      links_(streams.links),
      rate_(streams.hops()),
      factor_(streams.hops(), 1.0),
      largest_(streams.hops(), 1.0),
      doubt_(streams.hops()),
      largest_of_stream_(streams.stream.size()),
      own_of_stream_(streams.stream.size()),
      own_of_strand_(streams.strand.size()),
      own_of_thread_(streams.thread.size()),
      streams_sums_(streams.stream.size()),
      strand_bytes2_(streams.strand.size()),
      thread_bytes2_(streams.thread.size()) {
    for (std::size_t l = 0; l < links_.size(); ++l) {
        links_[l].capacity = t_.link_rate_bps[l] / 8;
        links_[l].served = 1;
    }
    for (const double ca2 : t_.flow_ca2) bursty_ = bursty_ || ca2 != 1;
}

void Links::settle() {
    for (int round = 0; round < kMostRounds; ++round) {
        load();
        if (bursty_) add_bursts();
        find_own();
        find_smoothing();
        find_factors();
        // what goes around in circles is slowed down; the fixed point is the same
        if (lose(round < kDampedFrom ? 1.0 : 0.5) < kStill) break;
    }
}

void Links::load() {
    for (LinkState& link : links_) {
        link.sums = {};
        link.flows = 0;
    }
    std::fill(streams_sums_.begin(), streams_sums_.end(), Sums{});
    std::fill(strand_bytes2_.begin(), strand_bytes2_.end(), 0.0);
    std::fill(thread_bytes2_.begin(), thread_bytes2_.end(), 0.0);
    for (std::size_t f = 0; f < s_.flows; ++f) {
        const double m1 = t_.flow_size[f], m2 = t_.flow_size2[f], m3 = t_.flow_size3[f];
        double pps = t_.flow_pps[f];
        for (std::size_t h = s_.hop_ptr[f]; h < s_.hop_ptr[f + 1]; ++h) {
            LinkState& link = links_[at(s_.link_of_hop[h])];
            rate_[h] = pps;
            add(link.sums, pps, m1, m2, m3);
            link.flows += pps * m1 * pps * m1;
            if (const auto s = s_.stream.of_hop[h]; s >= 0) add(streams_sums_[at(s)], pps, m1, m2, m3);
            if (const auto s = s_.strand.of_hop[h]; s >= 0) strand_bytes2_[at(s)] += pps * m2;
            if (const auto s = s_.thread.of_hop[h]; s >= 0) thread_bytes2_[at(s)] += pps * m2;
            pps *= link.served;
        }
    }
    for (LinkState& link : links_) {
        link.rho = link.sums.bytes / link.capacity;
        link.spread = link.sums.bytes2 / (link.capacity * link.capacity);
        link.burst_share = 0;
        link.flows = link.flows > 0 ? link.sums.bytes * link.sums.bytes / link.flows : 0;
    }
}

void Links::add_bursts() {
    for (std::size_t l = 0; l < links_.size(); ++l) {
        LinkState& link = links_[l];
        if (link.sums.pps <= 0) continue;
        const double poisson = link.spread, room = static_cast<double>(t_.link_buffer[l]) + 1;
        const double fill = room * link.sums.bytes / link.sums.pps / link.capacity;  // s to send a full buffer
        for (int round = 0; round < kBurstRounds; ++round) {
            const double idle = std::max(1 - link.rho, 1e-9);
            const double time = std::min(link.spread / (2 * idle * idle), fill * fill / std::max(link.spread, 1e-300));
            double more = 0;
            for (std::size_t i = s_.link_ptr[l]; i < s_.link_ptr[l + 1]; ++i) {
                const std::size_t h = s_.hop_at[i], f = at(s_.flow_of_hop[h]);
                if (t_.flow_ca2[f] == 1 || rate_[h] <= 0) continue;
                const double tau = t_.flow_burst_s[f] > 0 ? t_.flow_burst_s[f] : 1 / t_.flow_pps[f];
                const double s = t_.flow_size[f] / link.capacity;
                more += rate_[h] * s * s * (t_.flow_ca2[f] - 1) * shown(time / tau);
            }
            link.spread = std::max(poisson + more, 0.0);
        }
        link.burst_share = link.spread > 0 ? 1 - poisson / link.spread : 0;
    }
}

// Terms of `own` that all packets of a stream, strand or thread share; a hop takes that of its longest history.
void Links::find_own() {
    const auto capacity = [this](std::int32_t link) { return links_[at(link)].capacity; };
    std::vector<TwoPoint> laws(s_.stream.size());
    std::vector<double> share(s_.stream.size()), e1(s_.stream.size()), e2(s_.strand.size()), part(s_.strand.size());
    for (std::size_t i = 0; i < s_.stream.size(); ++i) {
        const Sums& sums = streams_sums_[i];
        own_of_stream_[i] = largest_of_stream_[i] = 0;
        if (sums.pps <= 0) continue;
        const LinkState& link = links_[at(s_.stream.parent[i])];
        laws[i] = law_of(sums);
        share[i] = sums.bytes2 / link.sums.bytes2;
        const std::array before{capacity(s_.stream.from[i])};
        e1[i] = light_pair(laws[i], sums.bytes2 / sums.pps, before, link.capacity) - 1;
        own_of_stream_[i] = share[i] * e1[i];
        largest_of_stream_[i] = share[i] * (light_largest(laws[i], sums.bytes2 / sums.pps, before, link.capacity) - 1);
    }
    for (std::size_t i = 0; i < s_.strand.size(); ++i) {
        const std::size_t stream = at(s_.strand.parent[i]);
        const Sums& sums = streams_sums_[stream];
        own_of_strand_[i] = 0;
        if (sums.pps <= 0) continue;
        const LinkState& link = links_[at(s_.stream.parent[stream])];
        part[i] = strand_bytes2_[i] / link.sums.bytes2;
        const std::array before{capacity(s_.strand.from[i]), capacity(s_.stream.from[stream])};
        e2[i] = light_pair(laws[stream], sums.bytes2 / sums.pps, before, link.capacity) - 1;
        own_of_strand_[i] = (share[stream] - part[i]) * e1[stream] + part[i] * e2[i];
    }
    for (std::size_t i = 0; i < s_.thread.size(); ++i) {
        const std::size_t strand = at(s_.thread.parent[i]), stream = at(s_.strand.parent[strand]);
        const Sums& sums = streams_sums_[stream];
        own_of_thread_[i] = 0;
        if (sums.pps <= 0) continue;
        const LinkState& link = links_[at(s_.stream.parent[stream])];
        const double q3 = thread_bytes2_[i] / link.sums.bytes2;
        const std::array before{capacity(s_.thread.from[i]), capacity(s_.strand.from[strand]),
                                capacity(s_.stream.from[stream])};
        const double e3 = light_pair(laws[stream], sums.bytes2 / sums.pps, before, link.capacity) - 1;
        own_of_thread_[i] = (share[stream] - part[strand]) * e1[stream] + (part[strand] - q3) * e2[strand] + q3 * e3;
    }
}

// 1 - rho, or what takes its place with a finite buffer: a queue that cannot grow longer lives on the times of a lower
// load, 1/T = idle^2/V = (1 - rho)^2/V + V/fill^2.
double Links::idle(std::size_t l) const {
    const LinkState& link = links_[l];
    const double alone = std::max(1 - link.rho, 0.0);
    if (t_.link_buffer[l] == kNoLimit) return alone;
    const double room = static_cast<double>(t_.link_buffer[l]) + 1;
    const double fill = room * link.sums.bytes / link.sums.pps / link.capacity;  // s to send a full buffer
    return std::min(std::hypot(alone, link.spread / fill), 1.0);
}

void Links::find_smoothing() {
    std::vector<double> paces(links_.size());
    for (std::size_t l = 0; l < links_.size(); ++l) {
        LinkState& link = links_[l];
        link.smoothed = 0;
        if (link.sums.pps <= 0) continue;
        link.idle = idle(l);
        paces[l] = link.spread > 0 ? link.idle * link.idle / link.spread : 0;
        link.varied = std::max(1 - link.sums.bytes * link.sums.bytes / (link.sums.pps * link.sums.bytes2), 0.0);
    }
    for (std::size_t i = 0; i < s_.stream.size(); ++i) {
        const std::size_t before = at(s_.stream.from[i]);
        LinkState& link = links_[at(s_.stream.parent[i])];
        const LinkState& from = links_[before];
        if (streams_sums_[i].pps <= 0 || t_.link_kind[before] != 0) continue;
        const double q = streams_sums_[i].bytes2 / link.sums.bytes2;
        const double p = std::min(streams_sums_[i].bytes / (from.sums.bytes * from.served), 1.0);
        const double here = paces[at(s_.stream.parent[i])], both = c_.smooth_memory * paces[before] + here;
        const double remembered = both > 0 ? (1 + c_.smooth_memory) * here / both : 1;
        link.smoothed +=
            std::pow(q, c_.smooth_share) * p * remembered * std::pow(1 - link.idle, 1 + c_.smooth_sizes * link.varied);
    }
    for (LinkState& link : links_) link.smoothed = std::min(link.smoothed, 1.0);
}

void Links::find_factors() {
    for (std::size_t l = 0; l < links_.size(); ++l) {
        LinkState& link = links_[l];
        link.same = 0;
        link.factor = 1;
        if (link.sums.pps <= 0) continue;
        const auto own = [this](std::size_t h) {
            if (const auto i = s_.thread.of_hop[h]; i >= 0) return own_of_thread_[at(i)];
            if (const auto i = s_.strand.of_hop[h]; i >= 0) return own_of_strand_[at(i)];
            const auto i = s_.stream.of_hop[h];
            return i >= 0 ? own_of_stream_[at(i)] : 0.0;
        };
        const auto largest = [this](std::size_t h) {
            const auto i = s_.stream.of_hop[h];
            return i >= 0 ? largest_of_stream_[at(i)] : 0.0;
        };
        double alike = 0;  // as link.same, of the largest packets
        for (std::size_t i = s_.link_ptr[l]; i < s_.link_ptr[l + 1]; ++i) {
            link.same += rate_[s_.hop_at[i]] * own(s_.hop_at[i]);
            alike += rate_[s_.hop_at[i]] * largest(s_.hop_at[i]);
        }
        link.same /= link.sums.pps;
        alike /= link.sums.pps;
        const double fade = std::pow(link.idle, c_.own_fade);
        const double faded = std::pow(link.idle, 1 + c_.size_fade * link.varied), same = faded * link.same;
        const double calibrated = std::exp(log_factor_[l]);
        double sum = 0;
        for (std::size_t i = s_.link_ptr[l]; i < s_.link_ptr[l + 1]; ++i) {
            const std::size_t h = s_.hop_at[i];
            const double light = same + fade * (own(h) - link.same);
            factor_[h] = std::max(1 + light - link.smoothed, 0.0) * calibrated;
            const double top = faded * alike + fade * (largest(h) - alike);
            largest_[h] = std::max(1 + top - link.smoothed, 0.0) * calibrated;
            doubt_[h] = (c_.own_sd * (1 - link.idle) * std::abs(light) + c_.smooth_sd * link.smoothed) * calibrated;
            sum += rate_[h] * factor_[h];
        }
        link.factor = sum / link.sums.pps;
    }
}

double Links::lose(double pace) {
    double change = 0;
    for (std::size_t l = 0; l < links_.size(); ++l) {
        LinkState& link = links_[l];
        double loss = 0, served = 1;
        if (t_.link_buffer[l] == kNoLimit) {
            served = link.rho > 1 ? 1 / link.rho : 1;
        } else if (link.sums.pps > 0) {
            const double a = link.sums.pps * link.spread * link.factor / (2 * link.rho * link.rho);
            loss = loss_of(link.rho, a, t_.link_buffer[l] + 1);
            served = 1 - loss;
        }
        change = std::max(change, std::abs(served - link.served));
        link.loss = loss;
        link.served += pace * (served - link.served);
    }
    return change;
}

}  // namespace tiertwin::perf
