// Module alloc: each case states its equation or rule first.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "alloc/deal.hpp"
#include "alloc/formulas.hpp"
#include "alloc/leaf.hpp"
#include "alloc/repair.hpp"
#include "alloc/waterfill.hpp"
#include "base/error.hpp"
#include "draw.hpp"

namespace alloc_test {

using namespace tiertwin;
using namespace tiertwin::alloc;
using tiertwin::tests::Draw;

namespace {

using Numbers = std::vector<double>;

// One group, device and edge: the device costs 2 a task, the edge 0.1 and one unit of its single resource.
struct OneGroup {
    Numbers demand{4.0}, weight{1.0}, alpha{1.0}, cost{2.0, 0.1}, use_own{0.0, 1.0}, capacity{10.0}, kappa{0.0};
    Numbers use_quota{};
    index_t quotas = 0;

    [[nodiscard]] LeafProblem make() const {
        return {{demand, weight, alpha, cost, use_own, capacity, kappa, use_quota}, 2, quotas};
    }
};

LeafProblem random_problem(std::uint64_t seed, std::size_t groups) {
    Draw dice{seed * 977 + 1};
    const std::size_t tiers = 4, own = 3, quotas = 3;
    Numbers demand, weight, alpha, cost, use_own(own * groups * tiers), use_quota(quotas * groups * tiers);
    for (std::size_t i = 0; i < groups; ++i) {
        demand.push_back(dice(0.5, 20));
        weight.push_back(dice(0.5, 3));
        alpha.push_back(std::floor(dice(0, 5)) * 0.5);
        cost.push_back(dice(0.5, 6));
        for (std::size_t t = 1; t < tiers; ++t) cost.push_back(dice(0.05, 1));
        for (std::size_t t = 1; t < tiers; ++t) {
            for (std::size_t k = 0; k < own; ++k) use_own[(k * groups + i) * tiers + t] = dice(0, 1);
            for (std::size_t j = 0; j < quotas; ++j) use_quota[(j * groups + i) * tiers + t] = dice(0, 1);
        }
    }
    Numbers capacity, kappa;
    for (std::size_t k = 0; k < own; ++k) {
        capacity.push_back(dice(0.5, 4) * static_cast<double>(groups));
        kappa.push_back(0.02 * capacity.back());
    }
    return {{demand, weight, alpha, cost, use_own, capacity, kappa, use_quota}, 4, 3};
}

Numbers share_of_most(const LeafProblem& p, double share) {
    Numbers quota(p.quota_max);
    for (double& r : quota) r *= share;
    return quota;
}

}  // namespace

TEST_CASE("utility: U(1) = 0 for every alpha, U'(1) = 1, and alpha = 1 is the limit of its neighbours") {
    for (double alpha : {0.0, 0.5, 1.0, 2.0, 4.0}) {
        CHECK(utility(1.0, alpha) == 0.0);
        CHECK((utility(1.0 + 1e-6, alpha) - utility(1.0 - 1e-6, alpha)) / 2e-6 == doctest::Approx(1.0).epsilon(1e-6));
    }
    CHECK(utility(0.3, 1.0 + 1e-12) == doctest::Approx(std::log(0.3)).epsilon(1e-10));
    CHECK(utility(0.0, 0.5) == -2.0);
    CHECK(std::isinf(utility(0.0, 1.0)));
    CHECK(worth(0.0, 0.0, 2.0) == 0.0);
}

TEST_CASE("best share maximises b U(q) - p q: q = min(1, (b/p)^(1/alpha)), 1 when free, 0 or 1 when linear") {
    CHECK(best_share(1.0, 4.0, 2.0) == 0.5);
    CHECK(best_share(3.0, 2.0, 1.0) == 1.0);
    CHECK(best_share(1.0, 0.0, 0.0) == 1.0);
    CHECK(best_share(1.0, 1.1, 0.0) == 0.0);
    CHECK(best_share(0.0, 0.0, 1.0) == 0.0);
}

TEST_CASE("delay conjugate: D*(l) = max_y l y - D(y), attained where D'(y) = l") {
    const double c = 5.0, kappa = 0.4;
    for (double price : {0.0, 0.05, 0.2, 1.0, 1e4}) {
        double best = 0.0;
        for (int n = 0; n <= 100000; ++n) {
            const double y = kLoadLimit * c * n / 100000.0;
            best = std::max(best, price * y - delay_cost(y, c, kappa));
        }
        CHECK(delay_conjugate(price, c, kappa) == doctest::Approx(best).epsilon(1e-8));
    }
    CHECK(delay_conjugate(3.0, 0.0, 0.1) == 0.0);
}

TEST_CASE("a leaf with room serves everybody at the cheapest tier; its cut meets its value") {
    Leaf leaf(OneGroup{}.make());
    const Answer a = leaf.solve_quota({}, kIterationLimit);
    CHECK(a.x[1] == doctest::Approx(4.0).epsilon(1e-8));
    CHECK(a.worth.value == doctest::Approx(-0.4).epsilon(1e-8));  // U(1) = 0, 4 tasks/s at 0.1
    CHECK(a.gap <= 1e-8);
}

TEST_CASE("a leaf without capacity falls back to the device: q = (b/cost)^(1/alpha)") {
    OneGroup one;
    one.capacity = {0.0};
    Leaf leaf(one.make());
    const Answer a = leaf.solve_quota({}, kIterationLimit);
    CHECK(a.x[1] == 0.0);
    CHECK(a.x[0] == doctest::Approx(2.0).epsilon(1e-6));  // q = 1/2 of 4 tasks/s
    CHECK(a.gap <= 1e-6);
}

TEST_CASE("a binding quota is used up, and its price is what one more unit is worth") {
    OneGroup one;
    one.use_quota = {0.0, 1.0};
    one.quotas = 1;
    Leaf leaf(one.make());
    const double h = 1e-4;
    const Answer a = leaf.solve_quota(Numbers{1.0}, kIterationLimit),
                 more = leaf.solve_quota(Numbers{1.0 + h}, kIterationLimit);
    CHECK(a.use[0] == doctest::Approx(1.0).epsilon(1e-7));
    CHECK(a.quota_price[0] == doctest::Approx((more.worth.value - a.worth.value) / h).epsilon(1e-3));
    // At that price the same plan is best.
    const Answer priced = leaf.solve_price(a.quota_price, kIterationLimit);
    CHECK(priced.phi + a.quota_price[0] == doctest::Approx(a.worth.value).epsilon(1e-7));
}

TEST_CASE("answers are feasible, cuts are valid for every other plan, and the certificate closes to 1e-6 S") {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Leaf leaf(random_problem(seed, 1 + seed % 25));
        const LeafProblem& p = leaf.problem();
        const Answer tight = leaf.solve_quota(share_of_most(p, 0.1), kIterationLimit);
        CHECK(tight.worth.violation <= 1e-12);
        CHECK(tight.gap <= 1e-6);
        const Answer ample = leaf.solve_quota(share_of_most(p, 2.0), kIterationLimit);
        const Answer priced = leaf.solve_price(Numbers{0.3, 0.1, 0.0}, kIterationLimit);
        for (const Answer* cut_of : {&tight, &ample, &priced})
            for (const Answer* plan : {&tight, &ample, &priced}) {
                double bound = cut_of->phi;
                for (std::size_t j = 0; j < 3; ++j) bound += cut_of->quota_price[j] * plan->use[j];
                CHECK(plan->worth.value <= bound + 1e-10 * plan->worth.scale);
            }
    }
}

TEST_CASE("the same problem gives the same bits, whatever was solved before") {
    Leaf fresh_leaf(random_problem(3, 20)), used(random_problem(3, 20));
    const Numbers quota = share_of_most(used.problem(), 0.2);
    (void)used.solve_quota(share_of_most(used.problem(), 0.0), kIterationLimit);
    (void)used.solve_price(Numbers{1.0, 1.0, 1.0}, kIterationLimit);
    CHECK(fresh_leaf.solve_quota(quota, kIterationLimit).x == used.solve_quota(quota, kIterationLimit).x);
}

TEST_CASE("a solver stopped early still answers with a feasible plan and a valid cut") {
    Leaf leaf(random_problem(5, 12));
    const Numbers quota = share_of_most(leaf.problem(), 0.1);
    const double best = leaf.solve_quota(quota, kIterationLimit).worth.value;
    for (index_t limit = 0; limit < 6; ++limit) {
        const Answer a = leaf.solve_quota(quota, limit);
        CHECK(a.worth.violation <= 1e-12);
        CHECK(a.worth.value <= best + 1e-9 * a.worth.scale);
        CHECK(a.gap >= -1e-12);
    }
}

TEST_CASE("the checker names the largest violation: not finite, negative, demand, capacity, quota") {
    OneGroup one;
    one.use_quota = {0.0, 1.0};
    one.quotas = 1;
    one.capacity = {3.0};
    const LeafProblem p = one.make();
    Numbers use(1), load(1);
    const auto judge = [&](Numbers x) { return evaluate(p, x, Numbers{2.0}, use, load); };
    CHECK(judge({1.0, 1.0}).fault == Fault::none);
    CHECK(judge({std::numeric_limits<double>::quiet_NaN(), 1.0}).fault == Fault::not_finite);
    CHECK(judge({-1.0, 1.0}).fault == Fault::negative);
    CHECK(judge({5.0, 0.0}).fault == Fault::demand);
    CHECK(judge({0.0, 2.98}).fault == Fault::quota);
    CHECK(judge({0.0, 2.98}).violation == doctest::Approx(0.49));
    one.capacity = {0.5};
    CHECK(evaluate(one.make(), Numbers{0.0, 1.0}, {}, use, load).fault == Fault::own_capacity);
}

TEST_CASE("repair: clip, scale down, overdraft to the device as far as that is worth its cost") {
    OneGroup one;
    one.use_quota = {0.0, 1.0};
    one.quotas = 1;
    const LeafProblem p = one.make();
    Numbers x{-1.0, 3.0};
    repair(p, x, Numbers{1.0});
    CHECK(x[1] == doctest::Approx(1.0));
    CHECK(x[0] == doctest::Approx(1.0));  // two were taken; the device wants 2 of 4 tasks/s, one is already served
    Numbers nothing{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
    repair(p, nothing, Numbers{0.0});
    CHECK(nothing == Numbers{0.0, 0.0});
}

TEST_CASE("projection: the nearest point of the simplex moves every coordinate by the same amount") {
    OneGroup one;
    one.capacity = {100.0};
    Numbers x{4.0, 3.0};
    (void)project(one.make(), x, {}, 1e-12);
    CHECK(x[0] == doctest::Approx(2.5));
    CHECK(x[1] == doctest::Approx(1.5));
}

TEST_CASE("greedy is feasible and no worse than the devices alone on ordinary leaves") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const LeafProblem p = random_problem(seed, 15);
        Numbers x(p.cells()), devices(p.cells(), 0.0), use(3), load(3);
        greedy(p, share_of_most(p, 0.2), x);
        refresh(p, devices);
        const Evaluation found = evaluate(p, x, share_of_most(p, 0.2), use, load);
        CHECK(found.violation <= 1e-12);
        CHECK(found.value >= evaluate(p, devices, {}, use, load).value);
    }
}

TEST_CASE("water-filling: two flows share the narrow link by weight, the third takes what is left of the wide one") {
    const Numbers capacity{10.0, 3.0}, weights{1.0, 2.0, 1.0};
    const std::vector<index_t> offsets{0, 2, 3, 4}, links{0, 1, 1, 0};
    Numbers rates(3);
    CHECK(waterfill(capacity, {offsets, links}, weights, rates, 1e-12) == 2);
    CHECK(rates == Numbers{1.0, 2.0, 9.0});
}

TEST_CASE("dealing: by weight, at most the cap, sums exact; what does not fit is refused") {
    const std::vector<index_t> group_of{0, 0, 0};
    const Numbers weight{1.0, 1.0, 2.0}, x{6.0, 2.0}, cap{1.0, 9.0, 9.0};
    Numbers out(6);
    deal(group_of, weight, x, 2, {}, out);
    CHECK(out == Numbers{1.5, 0.5, 1.5, 0.5, 3.0, 1.0});
    deal(group_of, weight, x, 2, cap, out);
    CHECK(out[0] + out[1] == doctest::Approx(1.0));
    CHECK(out[4] + out[5] == doctest::Approx(14.0 / 3.0));
    CHECK(out[0] + out[2] + out[4] == doctest::Approx(6.0).epsilon(1e-12));
    CHECK_THROWS_AS(deal(group_of, weight, x, 2, Numbers{1.0, 1.0, 1.0}, out), InvalidArgument);
}

TEST_CASE("a problem is refused with the name and place of what is wrong") {
    OneGroup one;
    one.kappa = {};
    CHECK_THROWS_WITH_AS(one.make(), doctest::Contains("kappa: expected 1 numbers, got 0"), InvalidArgument);
    one = {};
    one.demand = {-1.0};
    CHECK_THROWS_WITH_AS(one.make(), doctest::Contains("demand: expected finite numbers >= 0"), InvalidArgument);
    one = {};
    one.use_own = {0.5, 1.0};
    CHECK_THROWS_WITH_AS(one.make(), doctest::Contains("device tier uses no shared resource"), InvalidArgument);
}

}  // namespace alloc_test
