#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "perf/calibrate.hpp"
#include "perf/finite.hpp"
#include "perf/model.hpp"
#include "perf/sizes.hpp"
#include "perf/tail.hpp"
#include "queueing/station.hpp"

namespace perf_test {

using namespace tiertwin;
using namespace tiertwin::perf;
using doctest::Approx;

namespace {

// `flows` flows of exponential sizes, mean 1000 bytes, over the same path of links of 8 Mb/s.
Traffic exponential(std::size_t links, std::size_t flows, double pps) {
    Traffic t;
    t.link_rate_bps.assign(links, 8e6);
    t.link_delay_ns = t.link_idle_w = t.link_full_w = std::vector<double>(links);
    t.link_buffer.assign(links, kNoLimit);
    t.link_kind.assign(links, 0);
    t.flow_pps.assign(flows, pps);
    t.flow_size.assign(flows, 1e3);
    t.flow_size2.assign(flows, 2e6);
    t.flow_size3.assign(flows, 6e9);
    t.flow_smallest = t.flow_burst_s = std::vector<double>(flows);
    t.flow_largest.assign(flows, INFINITY);
    t.flow_ca2.assign(flows, 1);
    t.flow_class.assign(flows, 0);
    return t;
}

LinkBelief nominal(std::size_t links) { return {std::vector<double>(links), std::vector<double>(links)}; }

}  // namespace

TEST_CASE("Two points keep three moments; of exponential sizes they are 2 -+ sqrt 2") {
    const TwoPoint law = two_point(1, 2, 6);
    CHECK(law.value[0] == Approx(2 - std::sqrt(2.0)));
    CHECK(law.value[1] == Approx(2 + std::sqrt(2.0)));
    for (const auto& [k, moment] : {std::pair{0, 1.0}, {1, 1.0}, {2, 2.0}, {3, 6.0}})
        CHECK(law.weight[0] * std::pow(law.value[0], k) + law.weight[1] * std::pow(law.value[1], k) == Approx(moment));
    CHECK(two_point(5, 25, 125).value[1] == 5);
}

TEST_CASE("Three points find IMIX from its moments and ends") {
    const std::array size{64.0, 594.0, 1518.0}, weight{7.0 / 12, 4.0 / 12, 1.0 / 12};
    std::array<double, 4> moment{};
    for (std::size_t k = 0; k < 3; ++k)
        for (std::size_t j = 0; j < 4; ++j) moment[j] += weight[k] * std::pow(size[k], static_cast<double>(j));
    const ThreePoint law = three_point(moment[1], moment[2], moment[3], 64, 1518);
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(law.value[k] == Approx(size[k]));
        CHECK(law.weight[k] == Approx(weight[k]));
    }
}

TEST_CASE("Packets of one stream: constant sizes never meet again behind a link that is no faster") {
    const TwoPoint law = two_point(1000, 1e6, 1e9);
    const std::array same{1e6}, slower{5e5}, faster{2e6};
    CHECK(light_pair(law, 1e6, same, 1e6) == 0);
    CHECK(light_pair(law, 1e6, slower, 1e6) == 0);
    CHECK(light_pair(law, 1e6, faster, 1e6) == Approx(0.75));  // X = 2 in units of a transmission there: 1 * 1 + 1/2
}

TEST_CASE("Packets of one stream: exponential sizes meet 1.75 times as much, the two-point law says 1.71") {
    CHECK(light_pair(two_point(1, 2, 6), 2, std::array{1.0}, 1.0) == Approx(1.7071).epsilon(1e-4));
}

TEST_CASE("A finite station is M/M/1/K for a = 1, below, at and above capacity") {
    for (const double rho : {0.5, 0.99, 1.0, 1.01, 1.7}) {
        CHECK(loss_of(rho, 1, 21) == Approx(mm1k_loss(rho, 1, 21)).epsilon(1e-9));
        const Waits w = waits_of(rho, rho, 1, 1, 21);
        CHECK(w.mean == Approx(mm1k_delay(rho, 1, 21) - 1).epsilon(1e-9));
    }
    CHECK(loss_of(0.9, 0.5, 21) < loss_of(0.9, 1, 21));
    CHECK(waits_of(0.5, 0.5, 1, 1, 1).mean == 0);
}

TEST_CASE("Pearson III: skewness 2 is the exponential law, 0 the normal one; table and solver agree") {
    CHECK(tail_factor(Tail::k99, 2) == Approx(std::log(100.0) - 1).epsilon(1e-12));
    CHECK(tail_factor(Tail::k95, 2) == Approx(std::log(20.0) - 1).epsilon(1e-12));
    CHECK(tail_factor(Tail::k99, 0) == Approx(2.3263478740408408));
    CHECK(tail_factor(Tail::k99, -2) == Approx(1 + std::log(0.99)).epsilon(1e-9));
    for (const double skew : {0.001, 0.3, 1.0, 3.3, 11.9}) {
        const double k = 4 / (skew * skew), x = k + std::sqrt(k) * tail_factor(Tail::k95, skew);
        CHECK(gamma_share(k, x) == Approx(0.95).epsilon(1e-9));
        CHECK(tail_share(tail_factor(Tail::k95, skew), skew) == Approx(0.05).epsilon(1e-8));
    }
}

TEST_CASE("One link of exponential sizes is M/M/1: mean, deviation and tails") {
    const Model model(Paths{1, {0, 1}, {0}});
    const Prediction p = model.predict(exponential(1, 1, 800), Coefficients{}, nominal(1), 1.645);
    CHECK(p.mean[0] == Approx(mm1_delay(800, 1000)));
    CHECK(p.sd[0] == Approx(1.0 / 200).epsilon(0.01));  // the fourth moment apart, which three cannot tell
    CHECK(p.p99[0] == Approx(std::log(100.0) / 200).epsilon(0.01));
    CHECK(p.mean_low[0] < p.mean[0]);
}

TEST_CASE("Streams: histories of one, two and three links are told apart") {
    const Streams s(Paths{4, {0, 4, 7, 9}, {0, 1, 2, 3, 1, 2, 3, 2, 3}});
    CHECK(s.stream.size() == 3);  // 0-1, 1-2, 2-3
    CHECK(s.strand.size() == 2);  // 0-1-2, 1-2-3
    CHECK(s.thread.size() == 1);  // 0-1-2-3
    CHECK(s.thread.of_hop[3] == 0);
    CHECK(s.thread.of_hop[6] == Streams::kNone);
    CHECK(s.strand.of_hop[3] == s.strand.of_hop[6]);
    CHECK(s.stream.of_hop[3] == s.stream.of_hop[8]);
}

TEST_CASE("Losses go around circles of links and stand still") {
    Traffic t = exponential(3, 3, 900);
    t.link_buffer.assign(3, 5);
    const Model model(Paths{3, {0, 3, 6, 9}, {0, 1, 2, 1, 2, 0, 2, 0, 1}});
    const Prediction p = model.predict(t, Coefficients{}, nominal(3), 1);
    CHECK(p.loss[0] == Approx(p.loss[1]).epsilon(1e-9));
    CHECK(p.loss[0] == Approx(p.loss[2]).epsilon(1e-9));
    CHECK(p.throughput[0] == Approx(900 * (1 - p.loss[0])).epsilon(1e-9));
    CHECK(p.utilisation[0] < 1);
}

TEST_CASE("Calibration: twice the wait, seen long enough, is a factor of two, and becomes certain") {
    const Model model(Paths{1, {0, 1}, {0}});
    const Traffic t = exponential(1, 1, 500);
    LinkBelief belief{{0}, {1e-3}};
    const Prediction nominal_one = model.predict(t, Coefficients{}, belief, 1);
    for (int round = 0; round < 10; ++round) {
        const Prediction p = model.predict(t, Coefficients{}, belief, 1);
        calibrate(model.streams(), p, {1e6, {nominal_one.mean[0] + nominal_one.wait[0]}, {1e9}, {NAN}, {0}}, {1, 1e-3},
                  belief);
    }
    CHECK(belief.log_factor[0] == Approx(std::log(2.0)).epsilon(0.01));
    CHECK(belief.variance[0] < 1e-2);
    CHECK_THROWS_AS(calibrate(model.streams(), nominal_one, {1, {}, {}, {}, {}}, {1, 0}, belief), InvalidArgument);
}

}  // namespace perf_test
