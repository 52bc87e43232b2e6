#include "alloc/spectrum.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/error.hpp"

namespace spectrum_test {

using namespace tiertwin;
using alloc::Cluster;

namespace {

// Two users, two cells: each user is near its own cell.
struct Pair {
    std::vector<double> gain{1e-10, 1e-12, 1e-12, 1e-10}, least{1e-3, 1e-3}, most{1.0, 1.0}, bandwidth{1e7, 1e7},
        activity{1.0, 1.0}, outside{0.0, 0.0};

    [[nodiscard]] Cluster cluster() const { return {gain, least, most, bandwidth, activity, outside, 1e-20, 0.7, 7.4}; }
};

}  // namespace

TEST_CASE("efficiency is Shannon's, less for interference, at most the cap") {
    Pair pair;
    std::vector<double> e(4);
    alloc::spectral_efficiency(pair.cluster(), pair.most, e);
    const double signal = 1e-10 / 1e7, others = 1e-12 / 1e7 + 1e-20;
    CHECK(e[0] == doctest::Approx(0.7 * std::log2(1.0 + signal / others)));
    CHECK(e[0] == e[3]);
    pair.activity = {0.0, 0.0};
    pair.gain[0] = 1e-6;
    alloc::spectral_efficiency(pair.cluster(), pair.most, e);
    CHECK(e[0] == 7.4);
}

TEST_CASE("powers rise together where only their ratio counts, and the gap says that they are there") {
    const Pair pair;
    const std::vector<index_t> cell{0, 1};
    const std::vector<double> weight{1.0, 1.0}, start{0.01, 0.5};
    const auto found = alloc::ascend_power(pair.cluster(), cell, weight, start, 500, 1e-9);
    CHECK(found.gap <= 2e-9);
    CHECK(found.power[0] == doctest::Approx(1.0));
    CHECK(found.power[1] == doctest::Approx(1.0));
}

TEST_CASE("a cell without users is silenced") {
    const Pair pair;
    const std::vector<index_t> cell{0, -1};
    const auto found = alloc::ascend_power(pair.cluster(), cell, std::vector<double>{1.0, 1.0}, pair.most, 500, 1e-9);
    CHECK(found.power[0] == doctest::Approx(1.0));
    CHECK(found.power[1] == doctest::Approx(1e-3));
}

TEST_CASE("more steps are never worse, and the gap bounds what is left") {
    Pair pair;
    pair.gain = {1e-10, 5e-11, 1e-13, 1e-10};
    const std::vector<index_t> cell{0, 1};
    const std::vector<double> weight{1.0, 2.0};
    const auto best = alloc::ascend_power(pair.cluster(), cell, weight, pair.most, 1000, 1e-12);
    double before = -1e300;
    for (index_t limit = 0; limit < 8; ++limit) {
        const auto found = alloc::ascend_power(pair.cluster(), cell, weight, pair.least, limit, 0.0);
        CHECK(found.value >= before);
        CHECK(best.value <= found.value + found.gap + 1e-12);
        before = found.value;
    }
}

TEST_CASE("numbers out of range are named") {
    Pair pair;
    pair.gain[2] = std::nan("");
    CHECK_THROWS_WITH_AS(pair.cluster().check(), doctest::Contains("gain[2]"), InvalidArgument);
    pair = Pair();
    pair.least[1] = 2.0;
    CHECK_THROWS_WITH_AS(pair.cluster().check(), doctest::Contains("power_least[1]"), InvalidArgument);
}

}  // namespace spectrum_test
