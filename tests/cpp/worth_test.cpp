// What attributes are worth: each case states its rule first.
#include "abstraction/worth.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "abstraction/entropy.hpp"
#include "abstraction/granger.hpp"
#include "abstraction/pca.hpp"
#include "abstraction/ranks.hpp"
#include "abstraction/significance.hpp"
#include "base/error.hpp"
#include "draw.hpp"

namespace worth_test {

using namespace tiertwin;
using namespace tiertwin::abstraction;
using tiertwin::tests::Draw;

namespace {

using Numbers = std::vector<double>;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Numbers noise(std::size_t count, std::uint64_t seed, double missing = 0.0) {
    Draw draw{seed};
    Numbers values(count);
    for (double& x : values) {
        x = draw();
        if (draw() < missing) x = kNone;
    }
    return values;
}

double entropy(const Numbers& values, index_t m = 2, double share = 0.2) {
    std::vector<std::int32_t> order;
    order_of(values, order);
    return sample_entropy({values, order}, m, share);
}

}  // namespace

TEST_CASE("nothing matches: the entropy is the cap ln(K (K - 1) / 2), 8.4665 for 100 samples") {
    Numbers growing(100);
    for (std::size_t i = 0; i < growing.size(); ++i) growing[i] = std::exp(static_cast<double>(i));
    CHECK(entropy(growing, 2, 0.0) == doctest::Approx(8.4665).epsilon(1e-5));
}

TEST_CASE("a constant and a series too short for two templates have no entropy") {
    CHECK(entropy(Numbers(50, 0.1)) == 0.0);
    CHECK(entropy({1.0, 2.0, 3.0}) == 0.0);
    CHECK(entropy({kNone, kNone, kNone, kNone}) == 0.0);
    CHECK(entropy({}) == 0.0);
}

TEST_CASE("a template length or distance out of range is refused") {
    const Numbers values = noise(20, 1);
    CHECK_THROWS_AS((void)entropy(values, 0), InvalidArgument);
    CHECK_THROWS_AS((void)entropy(values, 5), InvalidArgument);
    CHECK_THROWS_AS((void)entropy(values, 2, -1.0), InvalidArgument);
    CHECK_THROWS_AS(SlidingEntropy(5), InvalidArgument);
}

TEST_CASE("counts that follow each push are those of a count afresh, with gaps and ties too") {
    for (const double missing : {0.0, 0.1}) {
        Numbers values = noise(200, 7, missing);
        for (double& x : values) x = std::round(x * 16.0) / 16.0;
        SeriesSet set(1, 40);
        SlidingEntropy sliding(2);
        std::vector<std::int32_t> order;
        for (const double x : values) {
            const bool follow = set.full();
            if (follow) sliding.leave(set.values(0));
            set.push(std::span(&x, 1));
            if (follow) {
                sliding.join(set.values(0));
            } else if (set.full()) {
                sliding.restart(set.view(0, order), 0.125);
            }
            if (!set.full()) continue;
            const Matches afresh = count_matches(set.view(0, order), 2, 0.125);
            CHECK(sliding.matches().starts == afresh.starts);
            CHECK(sliding.matches().shorter == afresh.shorter);
            CHECK(sliding.matches().longer == afresh.longer);
        }
    }
}

TEST_CASE("the order of a ring is that of its window sorted, oldest first among equals") {
    SeriesSet set(2, 10);
    Draw draw{3};
    std::vector<std::int32_t> kept, sorted;
    for (int t = 0; t < 57; ++t) {
        const Numbers row{std::floor(draw() * 4.0), draw() < 0.3 ? kNone : draw()};
        set.push(row);
        for (index_t s = 0; s < 2; ++s) {
            const SeriesView view = set.view(s, kept);
            order_of(view.values, sorted);
            CHECK(kept == sorted);
        }
    }
    CHECK(set.length() == 10);
}

TEST_CASE("an infinite sample is refused and nothing was taken") {
    SeriesSet set(2, 5);
    CHECK_THROWS_AS(set.push(Numbers{1.0, HUGE_VAL}), InvalidArgument);
    CHECK_THROWS_AS(set.push(Numbers{1.0}), InvalidArgument);
    CHECK(set.length() == 0);
    CHECK_THROWS_AS(SeriesSet(1, 3), InvalidArgument);
    CHECK_THROWS_AS(SeriesSet(0, 9), InvalidArgument);
}

TEST_CASE("ranks do not feel a monotone change, and a copy correlates to exactly 1") {
    const Numbers x = noise(101, 5), y = noise(101, 6);
    Numbers bent(x);
    for (double& v : bent) v = std::exp(3.0 * v);
    std::vector<std::int32_t> of_x, of_y, of_bent;
    order_of(x, of_x);
    order_of(y, of_y);
    order_of(bent, of_bent);
    RankScratch scratch;
    CHECK(scratch.correlation({x, of_x}, {bent, of_bent}, 0, 2) == 1.0);
    CHECK(scratch.correlation({x, of_x}, {y, of_y}, 3, 2) == scratch.correlation({bent, of_bent}, {y, of_y}, 3, 2));
    CHECK(scratch.correlation({x, of_x}, {y, of_y}, 101, 2) == 0.0);
}

TEST_CASE("the incomplete beta function at values in closed form") {
    CHECK(incomplete_beta(1.0, 1.0, 0.3) == doctest::Approx(0.3).epsilon(1e-13));
    CHECK(incomplete_beta(2.0, 3.0, 0.5) == doctest::Approx(0.6875).epsilon(1e-13));
    CHECK(incomplete_beta(0.5, 0.5, 0.2) ==
          doctest::Approx(2.0 / std::numbers::pi * std::asin(std::sqrt(0.2))).epsilon(1e-12));
    CHECK(incomplete_beta(5.0, 1.0, 0.9) == doctest::Approx(std::pow(0.9, 5.0)).epsilon(1e-13));
    CHECK(incomplete_beta(3.0, 4.0, 0.0) == 0.0);
    CHECK(incomplete_beta(3.0, 4.0, 1.0) == 1.0);
    CHECK_THROWS_AS((void)incomplete_beta(0.0, 1.0, 0.5), InvalidArgument);
    CHECK_THROWS_AS((void)incomplete_beta(1.0, 1.0, kNone), InvalidArgument);
}

TEST_CASE("tails of F at the critical values of printed tables, and where they are known: d1 = 2") {
    CHECK(f_tail(3.098391, 3.0, 20.0) == doctest::Approx(0.05).epsilon(1e-5));
    CHECK(f_tail(5.636326, 5.0, 10.0) == doctest::Approx(0.01).epsilon(1e-5));
    CHECK(f_tail(4.964603, 1.0, 10.0) == doctest::Approx(0.05).epsilon(1e-5));
    CHECK(f_tail(7.0, 2.0, 30.0) == doctest::Approx(std::pow(1.0 + 2.0 * 7.0 / 30.0, -15.0)).epsilon(1e-12));
    CHECK(f_tail(0.0, 3.0, 5.0) == 1.0);
    CHECK(f_tail(HUGE_VAL, 3.0, 5.0) == 0.0);
    CHECK_THROWS_AS((void)f_tail(kNone, 3.0, 5.0), InvalidArgument);
}

TEST_CASE("Benjamini and Hochberg's own example: four of fifteen stand at 5 %") {
    Numbers p{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
              0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000};
    adjust_p_values(p);
    for (std::size_t i = 0; i < p.size(); ++i) CHECK((p[i] <= 0.05) == (i < 4));
    CHECK(p[0] == doctest::Approx(0.0015));
    Numbers some{0.04, kNone, 0.01};
    adjust_p_values(some);
    CHECK(some[0] == doctest::Approx(0.04));
    CHECK(some[2] == doctest::Approx(0.02));
    CHECK(std::isnan(some[1]));
}

TEST_CASE("what y's own past tells is no gain, what drives it is, a constant never") {
    const Numbers drive = noise(200, 11), other = noise(200, 12), constant(200, 3.0);
    Numbers y(200, 0.0);
    for (std::size_t t = 2; t < y.size(); ++t) y[t] = 0.4 * y[t - 1] + drive[t - 2] + 0.05 * other[t];
    std::vector<std::int32_t> of_y, of_drive, of_constant;
    order_of(y, of_y);
    order_of(drive, of_drive);
    order_of(constant, of_constant);
    Regression regression({y, of_y}, 3);
    CHECK(regression.gain({drive, of_drive}).gain > 0.9);
    CHECK(regression.gain({drive, of_drive}).p_value < 1e-12);
    CHECK(regression.gain({y, of_y}).gain == 0.0);
    CHECK(regression.gain({y, of_y}).p_value == 1.0);
    CHECK(regression.gain({constant, of_constant}).gain == 0.0);
    CHECK_THROWS_AS(Regression({y, of_y}, 0), InvalidArgument);
}

TEST_CASE("eigenvectors of a symmetric matrix are orthonormal and give it back") {
    constexpr std::size_t n = 7;
    Draw draw{9};
    Numbers matrix(n * n), values, vectors;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) matrix[i * n + j] = matrix[j * n + i] = draw() - 0.5;
    symmetric_eigen(matrix, n, values, vectors);
    for (std::size_t i = 0; i < n; ++i) {
        if (i > 0) CHECK(values[i] <= values[i - 1]);
        for (std::size_t j = 0; j < n; ++j) {
            double product = 0.0, back = 0.0;
            for (std::size_t k = 0; k < n; ++k) {
                product += vectors[i * n + k] * vectors[j * n + k];
                back += values[k] * vectors[k * n + i] * vectors[k * n + j];
            }
            CHECK(product == doctest::Approx(i == j ? 1.0 : 0.0).epsilon(1e-12));
            CHECK(back == doctest::Approx(matrix[i * n + j]).epsilon(1e-12));
        }
    }
}

TEST_CASE("a stream of anything but infinities has finite scores, whatever is missing") {
    constexpr index_t zones = 3, attributes = 4, targets = 2, window = 24;
    for (const bool sliding : {false, true}) {
        WorthOptions options;
        options.least = 2;
        Worth worth(zones, attributes, targets, window, options, sliding);
        Draw draw{21};
        for (int t = 0; t < 90; ++t) {
            Numbers values(zones * attributes), goals(zones * targets);
            const double missing = t < 30 ? 0.9 : 0.2;
            for (double& x : values) x = draw() < missing ? kNone : std::floor(8.0 * draw()) * 1e100;
            for (double& y : goals) y = draw() < missing ? kNone : draw() * 1e-100;
            worth.push(values, goals);
            const Scores scores = worth.score(std::vector<index_t>{0, 2});
            for (const auto* array : {&scores.value, &scores.gain, &scores.relevance, &scores.p_value,
                                      &scores.complexity, &scores.redundancy})
                for (const double x : *array) CHECK((x >= 0.0 && x <= 2.0));
        }
        CHECK_THROWS_AS((void)worth.score(std::vector<index_t>{3}), NotFound);
        CHECK_THROWS_AS(worth.push(Numbers(5), Numbers(6)), InvalidArgument);
    }
}

TEST_CASE("a zone whose attributes part company lies beyond its threshold until that is learnt, others do not") {
    ChangeWatch watch(2, 3, 60, {0.9, 1.0, 5, 10});
    Draw draw{31};
    Numbers residual(2), threshold(2);
    int early = 0, flagged = 0, quiet = 0;
    for (int t = 0; t < 140; ++t) {
        Numbers row;
        for (int zone = 0; zone < 2; ++zone) {
            const double common = draw();
            row.insert(row.end(), {common, 2.0 * common + 0.01 * draw(), -common + 0.01 * draw()});
        }
        if (t >= 100) row[1] -= 1.0;
        watch.push(row, residual, threshold);
        if (t < 70) early += residual[0] > threshold[0] ? 1 : 0;
        if (t >= 100 && t < 110) flagged += residual[0] > threshold[0] ? 1 : 0;
        if (t >= 100) quiet += residual[1] > threshold[1] ? 1 : 0;
    }
    CHECK(early == 0);
    CHECK(flagged == 10);
    CHECK(quiet <= 4);
    CHECK_THROWS_AS(watch.push(Numbers(5), residual, threshold), InvalidArgument);
}

}  // namespace worth_test
