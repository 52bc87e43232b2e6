// The upper model of a node: its answer is feasible, its prices prove it, and bad input is named.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "alloc/upper_master.hpp"
#include "base/error.hpp"
#include "draw.hpp"

namespace master_test {

using namespace tiertwin;
using namespace tiertwin::alloc;
using tiertwin::tests::Draw;

namespace {

// Cuts of concave functions sum_j a_j sqrt(1 + 10 x_j) of shares x, so that the model is of something.
struct Model {
    std::size_t children, slots, levels;
    std::vector<double> level, slope, share, limit, kappa, price;

    Model(std::size_t n, std::size_t k, std::size_t j, std::uint64_t seed) : children(n), slots(k), levels(j) {
        Draw draw{seed * 2654435761u + 1};
        for (std::size_t e = 0; e < n; ++e) {
            std::vector<double> a(j);
            for (double& weight : a) weight = (1.0 + 4.0 * draw()) / static_cast<double>(n * j);
            for (std::size_t c = 0; c < k; ++c) {
                double value = 0.0;
                for (std::size_t i = 0; i < j; ++i) {
                    const double x = c == 0 ? 0.0 : draw(), root = std::sqrt(1.0 + 10.0 * x);
                    slope.push_back(a[i] * 5.0 / root);
                    value += a[i] * root - slope.back() * x;
                }
                level.push_back(value);
            }
            for (std::size_t i = 0; i < j; ++i) share.push_back((0.5 + draw()) * 2.5 / static_cast<double>(n));
        }
        for (std::size_t i = 0; i < j; ++i) {
            const bool own = i < 2;
            limit.push_back(own ? 0.98 : 0.6);
            kappa.push_back(own ? 0.05 : 0.0);
            price.push_back(own ? 0.0 : 0.1);
        }
    }

    [[nodiscard]] UpperMaster view() const {
        return {children, slots, levels, level, slope, share, limit, kappa, price};
    }

    [[nodiscard]] double worth(const std::vector<double>& x) const {
        double sum = 0.0;
        std::vector<double> load(levels, 0.0);
        for (std::size_t e = 0; e < children; ++e) {
            double least = 1e300;
            for (std::size_t k = 0; k < slots; ++k) {
                double value = level[e * slots + k];
                for (std::size_t j = 0; j < levels; ++j)
                    value += slope[(e * slots + k) * levels + j] * x[e * levels + j];
                least = std::min(least, value);
            }
            sum += least;
            for (std::size_t j = 0; j < levels; ++j) load[j] += share[e * levels + j] * x[e * levels + j];
        }
        for (std::size_t j = 0; j < levels; ++j) {
            CHECK(load[j] <= limit[j] * (1 + 1e-9));
            sum -= kappa[j] * (1.0 / (1.0 - load[j]) - 1.0) + price[j] * load[j];
        }
        return sum;
    }

    // Weak duality at any weights in the simplex and prices >= those given.
    [[nodiscard]] double bound(const UpperAnswer& a) const {
        double sum = 0.0;
        for (std::size_t e = 0; e < children; ++e)
            for (std::size_t k = 0; k < slots; ++k) sum += a.weight[e * slots + k] * level[e * slots + k];
        for (std::size_t e = 0; e < children; ++e)
            for (std::size_t j = 0; j < levels; ++j) {
                double gain = -share[e * levels + j] * a.price[j];
                for (std::size_t k = 0; k < slots; ++k)
                    gain += a.weight[e * slots + k] * slope[(e * slots + k) * levels + j];
                sum += std::max(gain, 0.0);
            }
        for (std::size_t j = 0; j < levels; ++j) {
            const double free = a.price[j] - price[j];
            double y = limit[j];
            if (kappa[j] > 0.0) y = std::clamp(1.0 - std::sqrt(kappa[j] / free), 0.0, limit[j]);
            sum += free * y - kappa[j] * (1.0 / (1.0 - y) - 1.0);
        }
        return sum;
    }
};

}  // namespace

TEST_CASE("the upper model closes and its prices prove it") {
    for (const auto& [n, k, j] : {std::array<std::size_t, 3>{1, 2, 1}, {6, 12, 3}, {50, 12, 5}, {3, 4, 8}})
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const Model model(n, k, j, seed);
            const auto a = solve_upper(model.view(), 80, 1e-9);
            CAPTURE(n);
            CAPTURE(seed);
            CHECK(a.iterations < 60);
            CHECK(std::abs(model.bound(a) - model.worth(a.x)) <= 1e-5);
        }
}

TEST_CASE("the upper model returns its best point at any limit") {
    const Model model(6, 12, 3, 9);
    double before = 1e300;
    for (index_t limit = 0; limit <= 20; ++limit) {
        const auto a = solve_upper(model.view(), limit, 1e-9);
        CHECK(a.gap <= before);
        CHECK(model.worth(a.x) <= model.bound(a) + 1e-6);
        before = a.gap;
    }
}

TEST_CASE("what is no upper model is named") {
    Model model(2, 3, 2, 1);
    model.limit[0] = 1.0;
    CHECK_THROWS_AS(static_cast<void>(solve_upper(model.view(), 10, 1e-9)), InvalidArgument);
    model.limit[0] = 0.0;
    CHECK_THROWS_AS(static_cast<void>(solve_upper(model.view(), 10, 1e-9)), InvalidArgument);
    const Model wide(1, 2, 9, 1);
    CHECK_THROWS_AS(static_cast<void>(solve_upper(wide.view(), 10, 1e-9)), InvalidArgument);
}

}  // namespace master_test
