// Forecast kernels: each case states its rule first.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "forecast/conformal.hpp"
#include "forecast/growing.hpp"
#include "forecast/smoothing.hpp"
#include "forecast/trends.hpp"

namespace forecast_test {

using namespace tiertwin;
using namespace tiertwin::forecast;

TEST_CASE("an Ornstein-Uhlenbeck process without much noise returns to zero as its covariance: mean = rho^h y") {
    std::vector<double> table(100);
    for (std::size_t lag = 0; lag < table.size(); ++lag) table[lag] = std::pow(0.9, static_cast<double>(lag));
    GrowingFactor factor(1, table, table, 1e-9);
    const std::array<double, 4> seen{0.3, -1.0, 0.4, 2.0};
    for (index_t t = 0; t < 4; ++t)
        factor.append(t, 0, std::span<const double>(seen).subspan(static_cast<std::size_t>(t), 1));
    const std::array<index_t, 2> at{4, 8}, kinds{0, 0};
    std::array<double, 2> mean{}, variance{};
    factor.ahead(at, kinds, mean, variance);
    CHECK(mean[0] == doctest::Approx(0.9 * 2.0).epsilon(1e-6));
    CHECK(mean[1] == doctest::Approx(std::pow(0.9, 5) * 2.0).epsilon(1e-6));
    CHECK(variance[0] == doctest::Approx(1.0 - 0.81).epsilon(1e-6));
    CHECK(variance[1] == doctest::Approx(1.0 - std::pow(0.9, 10)).epsilon(1e-6));
}

TEST_CASE("slots of unrelated kinds tell nothing of each other: mean 0, variance k(0) + noise") {
    const std::vector<double> same(10, 1.0), other(10, 0.0);
    GrowingFactor factor(1, same, other, 0.5);
    const std::array<double, 1> seen{4.0}, nothing{std::numeric_limits<double>::quiet_NaN()};
    factor.append(0, 7, seen);
    const std::array<index_t, 1> at{1}, kind{8};
    std::array<double, 1> mean{}, variance{};
    factor.ahead(at, kind, mean, variance);
    CHECK(mean[0] == 0.0);
    CHECK(variance[0] == 1.5);
    CHECK_THROWS_AS(factor.append(1, 7, nothing), InvalidArgument);
    CHECK(factor.samples() == 1);
    CHECK(factor.last_slot() == 0);
}

TEST_CASE("a series that repeats its week exactly is forecast exactly, whatever the gains, and its errors are 0") {
    const std::vector<double> week{1.0, 5.0, 2.0, 4.0, 9.0, 3.0};
    std::vector<double> history;
    for (int k = 0; k < 4; ++k) history.insert(history.end(), week.begin(), week.end());
    DoubleSeason model(1, 2, 6);
    const std::array<double, 4> gains{0.3, 0.2, 0.4, 0.5};
    std::array<double, 1> square{};
    model.follow(history, static_cast<index_t>(history.size()), gains, square);
    CHECK(square[0] == doctest::Approx(0.0));
    std::vector<double> ahead(6);
    model.ahead(6, ahead);
    for (std::size_t k = 0; k < 6; ++k) CHECK(ahead[k] == doctest::Approx(week[k]));
    const std::array<double, 1> unseen{std::numeric_limits<double>::quiet_NaN()};
    model.update(unseen);
    model.ahead(6, ahead);
    CHECK(ahead[0] == doctest::Approx(week[1]));
}

TEST_CASE("bounds are finite from the number of scores on of which a side may miss one: 0.1 (n + 1) >= 1") {
    ScoreBook book(1, 100, 0.8, 1.0, 0.0, 0.0);
    std::array<double, 1> lower{}, upper{};
    for (int n = 1; n <= 9; ++n) {
        const std::array<double, 1> score{static_cast<double>(n)};
        book.push(score);
        book.bounds(lower, upper);
        CHECK(std::isfinite(upper[0]) == (n >= 9));  // ceil(0.9 (n + 1)) <= n
    }
    CHECK(lower[0] == 1.0);
    CHECK(upper[0] == 9.0);
}

TEST_CASE("an adapted rate gives finite bounds where the level itself does, and NaN scores are not counted") {
    ScoreBook book(1, 40, 0.8, 1.0, 0.5, 0.5);
    std::array<double, 1> lower{}, upper{};
    for (int n = 0; n < 60; ++n) {
        const std::array<double, 1> score{std::pow(1.5, n)};  // always above all of before
        book.push(score);
    }
    CHECK(book.miss_rate()[0] == doctest::Approx(0.002));
    book.bounds(lower, upper);
    CHECK(upper[0] == std::pow(1.5, 59));
    const std::array<double, 1> unseen{std::numeric_limits<double>::quiet_NaN()};
    for (int n = 0; n < 40; ++n) book.push(unseen);
    book.bounds(lower, upper);
    CHECK(std::isinf(upper[0]));
    CHECK(std::isinf(lower[0]));
}

TEST_CASE("trends of a straight line: its slope, its first value's mean, and levels that lag by about tau") {
    std::vector<double> line(50);
    for (std::size_t t = 0; t < line.size(); ++t) line[t] = 2.0 * static_cast<double>(t);
    const std::array<index_t, 2> ptr{0, 50};
    std::vector<double> out(50 * 3);
    trends(line, 1, ptr, {{3.0}, 10, 2}, out);
    CHECK(out[49 * 3] == doctest::Approx(98.0 - 2.0 / (std::exp(1.0 / 3.0) - 1.0)).epsilon(1e-5));
    CHECK(out[49 * 3 + 1] == doctest::Approx(20.0));
    CHECK(out[49 * 3 + 2] == doctest::Approx(1.0));
    CHECK(out[1] == 0.0);
}

TEST_CASE("pools keep the weighted mean") {
    std::vector<double> values{3.0, 1.0, 2.0, 5.0};
    const std::vector<double> weights{1.0, 2.0, 3.0, 1.0};
    isotonic(values, weights);
    for (std::size_t k = 0; k < 2; ++k) CHECK(values[k] == doctest::Approx(5.0 / 3.0));
    CHECK(values[2] == 2.0);
    CHECK(values[3] == 5.0);
}

TEST_CASE("a pool lighter than the least takes in what follows; the last may stay lighter") {
    std::vector<double> values{0.0, 1.0, 2.0, 3.0, 9.0};
    const std::vector<double> weights{1.0, 1.0, 1.0, 1.0, 1.0};
    isotonic(values, weights, 2.0);
    CHECK(values == std::vector<double>{0.5, 0.5, 2.5, 2.5, 9.0});
    CHECK_THROWS_AS(isotonic(values, weights, -1.0), InvalidArgument);
}

}  // namespace forecast_test
