#include "perf/model.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/index.hpp"
#include "base/infinity.hpp"
#include "perf/finite.hpp"
#include "perf/links.hpp"
#include "perf/mixture.hpp"
#include "perf/sizes.hpp"
#include "perf/tail.hpp"
#include "queueing/station.hpp"

namespace tiertwin::perf {
namespace {

constexpr double kNoSpread = 1e-13;  // share of the variance below which waits do not matter
constexpr double kFewFlows = 10;     // effective flows a link, below which a prediction is of low confidence
constexpr double kTransfer = 0.2;    // of what calibration learnt at one load may be wrong at another; set, not fitted
constexpr double kBurstMatters = 0.02;  // share of V that bursts add, beyond which it is, too

// A link's waits for a packet with factor R = 1 (fifo, unlimited) or for the mean packet (finite).
struct LinkWaits {
    bool finite = false;
    double base = 0, third_moment = 0, fourth_moment = 0;  // W0; lam E[S^3]/(3 (1 - rho)), lam E[S^4]/(4 (1 - rho))
    Waits let_in;                                          // finite
    std::vector<double> by_class;                          // priority: W_k/W0
    double per_byte = 0, round_robin = 0;                  // s a byte of the packet; variance that sharing adds
};

class Evaluation {
  public:
    Evaluation(const Streams& s, const Traffic& t, const Coefficients& c, const LinkBelief& belief, double z)
        : s_(s), t_(t), c_(c), belief_(belief), z_(z), links_(s, t, c, belief.log_factor) {
        links_.settle();
    }
    Prediction run();

  private:
    struct Path {  // of one flow, summed over its hops
        double fixed = 0, per_byte = 0, wire = 0, wait = 0, wait_variance = 0, wait_third = 0, shared = 0;
        double variance_squares = 0;
        double systematic = 0, doubt = 0, loss_doubt = 0, flows = 0;
        double largest_wait = 0;  // of packets of the largest size
        bool bursty = false, overloaded = false;
    };

    void size_up(std::size_t l);
    void rank_classes(std::size_t l, LinkWaits& waits) const;
    [[nodiscard]] Waits wait_at(std::size_t h, std::size_t f) const;
    [[nodiscard]] Path walk(std::size_t f);
    void write(std::size_t f, const Path& path);
    void write_interval(std::size_t f, const Path& path);
    [[nodiscard]] double quantile(Tail tail, std::size_t f, const Path& path, double sd, double third) const;

    const Streams& s_;
    const Traffic& t_;
    const Coefficients& c_;
    const LinkBelief& belief_;
    double z_;
    Links links_;
    std::vector<LinkWaits> waits_;
    Prediction out_;
};

void Evaluation::size_up(std::size_t l) {
    const LinkState& link = links_.links()[l];
    LinkWaits& w = waits_[l];
    const double c = link.capacity, idle = 1 - link.rho;
    w.per_byte = 1 / c;
    out_.utilisation[l] = std::min(link.carried(), 1.0);
    out_.link_loss[l] = link.loss;
    out_.power[l] = t_.link_idle_w[l] + (t_.link_full_w[l] - t_.link_idle_w[l]) * out_.utilisation[l];
    out_.memory[l] = link.rho < 1 ? 2 * link.spread / (idle * idle) : kInfinity;
    if (link.sums.pps <= 0) return;
    const double m1 = link.sums.bytes / link.sums.pps, m2 = link.sums.bytes2 / link.sums.pps;
    if (t_.link_buffer[l] != kNoLimit) {
        const double a = link.sums.pps * link.spread * link.factor / (2 * link.rho * link.rho);
        w.finite = true;
        w.let_in = waits_of(link.sums.pps, link.rho, a, m2 / (m1 * m1) - 1, t_.link_buffer[l] + 1);
        out_.link_wait[l] = w.let_in.mean;
        return;
    }
    w.base = link.rho < 1 ? link.spread / (2 * idle) : kInfinity;
    if (t_.link_kind[l] == static_cast<std::int64_t>(LinkKind::kSharing)) {
        w.per_byte = link.rho < 1 ? 1 / (c * idle) : kInfinity;
        const double mean = m1 / c;
        w.round_robin = mean * mean * 2 * link.rho / (idle * idle * (2 - link.rho));
        out_.link_wait[l] = mean * link.rho / std::max(idle, 0.0);
        return;
    }
    const TwoPoint law = two_point(m1, m2, link.sums.bytes3 / link.sums.pps);
    w.third_moment = link.sums.bytes3 / (c * c * c * 3 * idle);
    w.fourth_moment = link.sums.pps * law.fourth_moment() / (c * c * c * c * 4 * idle);
    if (t_.link_kind[l] == static_cast<std::int64_t>(LinkKind::kPriority)) rank_classes(l, w);
}

void Evaluation::rank_classes(std::size_t l, LinkWaits& waits) const {
    const LinkState& link = links_.links()[l];
    std::vector<double> lam(kMostClasses), bytes(kMostClasses), bytes2(kMostClasses);
    std::size_t classes = 0;
    for (std::size_t i = s_.link_ptr[l]; i < s_.link_ptr[l + 1]; ++i) {
        const std::size_t h = s_.hop_at[i], f = at(s_.flow_of_hop[h]);
        const auto k = static_cast<std::size_t>(t_.flow_class[f]);
        classes = std::max(classes, k + 1);
        lam[k] += links_.rate(h);
        bytes[k] += links_.rate(h) * t_.flow_size[f];
        bytes2[k] += links_.rate(h) * t_.flow_size2[f];
    }
    for (std::size_t k = 0; k < classes; ++k) {
        if (lam[k] <= 0) continue;
        bytes[k] /= lam[k] * link.capacity;
        bytes2[k] /= lam[k] * link.capacity * link.capacity;
    }
    waits.by_class.resize(classes);
    priority_wait({lam.data(), classes}, {bytes.data(), classes}, {bytes2.data(), classes}, waits.by_class);
    const double bursts = 1 / std::max(1 - link.burst_share, 1e-12);  // of V over what Cobham's formula saw
    for (double& wait : waits.by_class) wait *= bursts;
}

Waits Evaluation::wait_at(std::size_t h, std::size_t f) const {
    const std::size_t l = at(s_.link_of_hop[h]);
    const LinkWaits& w = waits_[l];
    const double r = links_.factor(h);
    if (links_.links()[l].sums.pps <= 0) return {};
    if (w.finite) {
        const double mean = links_.links()[l].factor, by = mean > 0 ? r / mean : 1;
        return {w.let_in.mean * by, w.let_in.variance * by * by, w.let_in.third * by * by * by};
    }
    if (t_.link_kind[l] == static_cast<std::int64_t>(LinkKind::kSharing)) return {};
    double wait = w.base, sizes = r;
    if (!w.by_class.empty()) {
        wait = w.by_class[static_cast<std::size_t>(t_.flow_class[f])];
        sizes *= w.base < kInfinity && w.base > 0 ? wait / w.base : 1;
    }
    if (!(wait < kInfinity)) return {kInfinity, kInfinity, kInfinity};
    wait *= r;
    const double third = std::abs(w.third_moment) * sizes, fourth = std::abs(w.fourth_moment) * sizes;
    return {wait, wait * wait + third, 2 * wait * wait * wait + 3 * wait * third + fourth};
}

Evaluation::Path Evaluation::walk(std::size_t f) {
    Path path;
    path.bursty = t_.flow_ca2[f] != 1;
    double through = 1;
    for (std::size_t h = s_.hop_ptr[f]; h < s_.hop_ptr[f + 1]; ++h) {
        const std::size_t l = at(s_.link_of_hop[h]);
        const LinkState& link = links_.links()[l];
        const Waits wait = wait_at(h, f);
        out_.hop_wait[h] = wait.mean + t_.flow_size[f] * (waits_[l].per_byte - 1 / link.capacity);
        path.fixed += t_.link_delay_ns[l] * 1e-9;
        path.per_byte += waits_[l].per_byte;
        path.wire += 1 / link.capacity;
        path.wait += wait.mean;
        path.wait_variance += wait.variance;
        path.variance_squares += wait.variance * wait.variance;
        path.wait_third += wait.third;
        path.shared += waits_[l].round_robin;
        const double bursts = c_.burst_sd * link.burst_share;
        const double learnt = kTransfer * std::abs(belief_.log_factor[l]), r = links_.factor(h);
        path.largest_wait += r > 0 ? wait.mean * links_.largest(h) / r : 0;
        path.systematic += wait.mean * (c_.mean_sd + learnt + (r > 0 ? links_.doubt(h) / r : 0));
        path.doubt += wait.mean * wait.mean * (belief_.variance[l] + bursts * bursts);
        path.loss_doubt += link.loss * link.loss * (1 + bursts * bursts / (c_.loss_sd * c_.loss_sd + 1e-300));
        path.flows += wait.mean * link.flows;
        path.bursty = path.bursty || std::abs(link.burst_share) > kBurstMatters;
        path.overloaded = path.overloaded || !(out_.hop_wait[h] < kInfinity);
        through *= t_.link_buffer[l] == kNoLimit ? 1 : 1 - link.loss;
    }
    out_.loss[f] = 1 - through;
    // waits of one path go together: none of it with one hop, all of it with many alike
    const double v = path.wait_variance, many = v > 0 && v < kInfinity ? 1 - path.variance_squares / (v * v) : 0;
    path.wait_variance *= 1 + (c_.joint_variance - 1) * many;
    path.wait_third *= 1 + (c_.joint_skew - 1) * many;
    const std::size_t last = s_.hop_ptr[f + 1] - 1;
    out_.throughput[f] = links_.rate(last) * links_.links()[at(s_.link_of_hop[last])].served;
    return path;
}

double Evaluation::quantile(Tail tail, std::size_t f, const Path& path, double sd, double third) const {
    const double least = path.fixed + t_.flow_smallest[f] * path.per_byte;
    if (!(sd > 0)) return out_.mean[f];
    // here the largest packets matter, who wait less than others
    const double rest = path.wait_variance + path.shared, q = tail == Tail::k95 ? 0.95 : 0.99;
    if (t_.flow_largest[f] < kInfinity && t_.flow_largest[f] > t_.flow_smallest[f]) {
        const ThreePoint law =
            three_point(t_.flow_size[f], t_.flow_size2[f], t_.flow_size3[f], t_.flow_smallest[f], t_.flow_largest[f]);
        if (law.weight[2] > 1 - q && rest > kNoSpread * sd * sd) {
            const double w = law.weight[2], largest = std::min(path.largest_wait, path.wait / w);
            const double other = w < 1 ? (path.wait - w * largest) / (1 - w) : path.wait;
            SizedDelay delay{
                law, path.fixed, path.per_byte, {other, other, largest}, {}, path.wait_third / std::pow(rest, 1.5)};
            for (std::size_t k = 0; k < 3; ++k)  // a wait's variance is about a multiple of its mean
                delay.sd[k] = std::sqrt(
                    path.shared + path.wait_variance * std::max(path.wait > 0 ? delay.mean[k] / path.wait : 1, 1e-3));
            return mixed_quantile(q, delay, least);
        }
        if (law.weight[2] > 1 - q) return path.fixed + t_.flow_largest[f] * path.per_byte;
    }
    return std::max(out_.mean[f] + sd * tail_factor(tail, third / (sd * sd * sd)), least);
}

void Evaluation::write(std::size_t f, const Path& path) {
    const double m1 = t_.flow_size[f], m2 = t_.flow_size2[f], m3 = t_.flow_size3[f];
    out_.low_confidence[f] =
        path.overloaded || path.bursty || (path.wait > 0 && path.flows < kFewFlows * path.wait) ? 1 : 0;
    if (path.overloaded) {
        for (auto* values : {&out_.mean, &out_.wait, &out_.sd, &out_.p95, &out_.p99, &out_.mean_high, &out_.p99_high})
            (*values)[f] = kInfinity;
        out_.mean_low[f] = out_.p99_low[f] = path.fixed + t_.flow_smallest[f] * path.wire;
        return;
    }
    const double b = path.per_byte;
    out_.wait[f] = path.wait + m1 * (b - path.wire);
    out_.mean[f] = path.fixed + m1 * path.wire + out_.wait[f];
    const double variance = std::max(m2 - m1 * m1, 0.0) * b * b + path.shared + path.wait_variance;
    const double third = (m3 - 3 * m1 * m2 + 2 * m1 * m1 * m1) * b * b * b + path.wait_third;
    const double sd = std::sqrt(variance);
    out_.sd[f] = sd;
    out_.p95[f] = quantile(Tail::k95, f, path, sd, third);
    out_.p99[f] = quantile(Tail::k99, f, path, sd, third);
}

void Evaluation::write_interval(std::size_t f, const Path& path) {
    const double p = out_.loss[f], loss = z_ * c_.loss_sd * std::sqrt(path.loss_doubt);
    out_.loss_low[f] = std::max(p - loss, 0.0);
    out_.loss_high[f] = std::min(p + loss, 1.0);
    if (path.overloaded) return;
    const double shared = out_.wait[f] - path.wait;
    const double common = path.systematic + c_.mean_sd * shared, of_mean = common * common + path.doubt;
    const double least = path.fixed + t_.flow_smallest[f] * path.wire, half = z_ * std::sqrt(of_mean);
    out_.mean_low[f] = std::max(out_.mean[f] - half, least);
    out_.mean_high[f] = out_.mean[f] + half;
    // what moves the mean wait by a share moves the tail by about that share of what is above the fixed delay
    const double above = out_.p99[f] - path.fixed;
    const double by_links =
        path.wait > 0 ? std::sqrt(of_mean) / path.wait * std::max(above - t_.flow_size[f] * path.per_byte, 0.0) : 0;
    const double tail = z_ * std::sqrt(c_.tail_sd * c_.tail_sd * above * above + by_links * by_links);
    out_.p99_low[f] = std::max(out_.p99[f] - tail, least);
    out_.p99_high[f] = out_.p99[f] + tail;
}

Prediction Evaluation::run() {
    for (auto* values :
         {&out_.mean, &out_.wait, &out_.sd, &out_.p95, &out_.p99, &out_.loss, &out_.throughput, &out_.mean_low,
          &out_.mean_high, &out_.p99_low, &out_.p99_high, &out_.loss_low, &out_.loss_high})
        values->assign(s_.flows, 0.0);
    for (auto* values : {&out_.utilisation, &out_.link_wait, &out_.link_loss, &out_.power, &out_.memory})
        values->assign(s_.links, 0.0);
    out_.low_confidence.assign(s_.flows, 0);
    out_.hop_wait.assign(s_.hops(), 0.0);
    waits_.resize(s_.links);
    for (std::size_t l = 0; l < s_.links; ++l) size_up(l);
    std::vector<double> waited(s_.links);
    for (std::size_t f = 0; f < s_.flows; ++f) {
        const Path path = walk(f);
        write(f, path);
        write_interval(f, path);
    }
    for (std::size_t h = 0; h < s_.hops(); ++h) waited[at(s_.link_of_hop[h])] += links_.rate(h) * out_.hop_wait[h];
    for (std::size_t l = 0; l < s_.links; ++l) {
        const double pps = links_.links()[l].sums.pps;
        out_.link_wait[l] = pps > 0 ? waited[l] / pps : 0;
    }
    return std::move(out_);
}

void check(const Streams& s, const LinkBelief& belief, double z) {
    for (const auto* values : {&belief.log_factor, &belief.variance}) {
        if (values->size() != s.links)
            throw InvalidArgument("state: expected " + std::to_string(s.links) + " values (one per link), got " +
                                  std::to_string(values->size()));
    }
    for (std::size_t l = 0; l < s.links; ++l) {
        const double x = belief.log_factor[l], v = belief.variance[l];
        if (std::abs(x) <= 20 && v >= 0 && v <= 400) continue;
        throw InvalidArgument("state[" + std::to_string(l) +
                              "]: expected a logarithm from -20 to 20 and a variance from 0 to 400, got " +
                              std::to_string(x) + " and " + std::to_string(v));
    }
    if (!(z >= 0 && z <= 100))
        throw InvalidArgument("z: expected standard deviations from 0 to 100, got " + std::to_string(z));
}

}  // namespace

Prediction Model::predict(const Traffic& traffic, const Coefficients& coefficients, const LinkBelief& belief,
                          double z) const {
    traffic.validate(streams_.links, streams_.flows);
    check(streams_, belief, z);
    return Evaluation(streams_, traffic, coefficients, belief, z).run();
}

}  // namespace tiertwin::perf
