// Families of allocation at scale: each case states its rule first.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "alloc/dense.hpp"
#include "alloc/fair_solver.hpp"
#include "alloc/normal.hpp"
#include "alloc/routing.hpp"
#include "base/error.hpp"
#include "draw.hpp"

namespace families_test {

using namespace tiertwin;
using namespace tiertwin::alloc;
using tiertwin::tests::Draw;

namespace {

using Numbers = std::vector<double>;
using Indices = std::vector<index_t>;

// 30 users at three sites: two options each, a node of their own site's or the common one, and the site's uplink.
Options three_sites() {
    Indices users{0}, options{0}, resource;
    for (index_t u = 0; u < 30; ++u) {
        const index_t site = u % 3;
        for (const index_t node : {site, index_t{3}}) {
            resource.insert(resource.end(), {node, 4 + site});
            options.push_back(static_cast<index_t>(resource.size()));
        }
        users.push_back(static_cast<index_t>(options.size()) - 1);
    }
    return {users, options, resource, Numbers(resource.size(), 1.0), 7};
}

}  // namespace

TEST_CASE("dense: L L' x = b for sizes around the blocks and tiles") {
    Draw draw;
    for (const std::size_t n : {1u, 7u, 63u, 64u, 65u, 131u}) {
        Numbers root(n * n), a(n * n), x(n), b(n);
        for (double& value : root) value = draw() - 0.5;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                for (std::size_t k = 0; k < n; ++k) a[i * n + j] += root[i * n + k] * root[j * n + k];
                a[i * n + j] += i == j ? 1.0 : 0.0;
            }
        for (double& value : x) value = draw();
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) b[i] += a[i * n + j] * x[j];
        factor_dense(a, n);
        solve_dense(a, n, b);
        for (std::size_t i = 0; i < n; ++i) CHECK(b[i] == doctest::Approx(x[i]).epsilon(1e-9));
    }
}

TEST_CASE("normal: N x = b for N summed by its definition, however few digits an option leaves the others") {
    Draw draw;
    const Options o = three_sites();
    for (const double dominant : {1.0, 1e9}) {
        NormalMatrix normal(o);
        CHECK(normal.core() < 7);
        Numbers a(o.use.size()), v(o.options()), full(49), x(7), b(7);
        for (double& value : a) value = 0.5 + draw();
        for (double& value : v) value = draw();
        normal.clear();
        for (std::size_t u = 0; u < 30; ++u) {
            v[o.of_user[u]] *= dominant;
            const double held = dominant > 1.0 ? 0.0 : draw();
            double sum = 0.0;
            Numbers mean(7);
            for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) sum += v[k];
            for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k)
                for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e)
                    mean[o.resource[e]] += v[k] * a[e] / sum;
            for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) {
                Numbers row(7);
                for (std::size_t r = 0; r < 7; ++r) row[r] = -mean[r];
                for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) row[o.resource[e]] += a[e];
                for (std::size_t r = 0; r < 7; ++r)
                    for (std::size_t s = 0; s < 7; ++s) full[r * 7 + s] += v[k] * row[r] * row[s];
            }
            for (std::size_t r = 0; r < 7; ++r)
                for (std::size_t s = 0; s < 7; ++s) full[r * 7 + s] += sum * held * mean[r] * mean[s];
            normal.add_user(u, a, v, sum, held);
        }
        for (std::size_t r = 0; r < 7; ++r) {
            full[r * 7 + r] += 0.1;
            normal.add_diagonal(r, 0.1);
            x[r] = draw();
        }
        for (std::size_t r = 0; r < 7; ++r)
            for (std::size_t s = 0; s < 7; ++s) b[r] += full[r * 7 + s] * x[s];
        normal.factor();
        normal.solve(b);
        for (std::size_t r = 0; r < 7; ++r) CHECK(b[r] == doctest::Approx(x[r]).epsilon(1e-6));
    }
}

TEST_CASE("normal: what all options of a user use alike may stand once, floors with a minus; parts add up") {
    Draw draw;
    const Options o = three_sites();  // uplinks 4..6 are common
    std::vector<std::int32_t> floor_of(30, -1);
    for (std::size_t u = 0; u < 30; ++u) floor_of[u] = u % 4 == 3 ? -1 : static_cast<std::int32_t>(u % 2);
    const FairLayout layout(o, floor_of, 2);
    CHECK(layout.row.size() == 60);
    CHECK(layout.common_row.size() == 30 + 23);
    NormalMatrix normal(
        {layout.of_user, layout.of_option, layout.row, layout.of_common, layout.common_row, layout.rows});
    Numbers own(layout.row.size()), common(layout.common_row.size()), v(o.options());
    for (double& value : own) value = 0.5 + draw();
    for (double& value : common) value = 0.5 + draw();
    for (double& value : v) value = draw();
    std::vector<NormalPart> parts(2);
    for (NormalPart& part : parts) normal.clear(part);
    Numbers written, held(30), sum(30);
    Indices options{0}, resource;  // everything written out
    for (std::size_t u = 0; u < 30; ++u) {
        held[u] = draw();
        for (std::size_t c = layout.of_common[u]; c < layout.of_common[u + 1]; ++c)
            if (layout.common_source[c] == FairLayout::kFloor) common[c] *= -1.0;
        for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) {
            sum[u] += v[k];
            resource.push_back(layout.row[k]);
            written.push_back(own[k]);
            for (std::size_t c = layout.of_common[u]; c < layout.of_common[u + 1]; ++c) {
                resource.push_back(layout.common_row[c]);
                written.push_back(common[c]);
            }
            options.push_back(static_cast<index_t>(resource.size()));
        }
        normal.add_user(parts[u / 15], u, own, common, std::span(v).subspan(o.of_user[u], 2), sum[u], held[u]);
    }
    const Indices users(o.of_user.begin(), o.of_user.end());
    const Options flat(users, options, resource, Numbers(resource.size(), 1.0), 9);
    NormalMatrix expected(flat);
    expected.clear();
    for (std::size_t u = 0; u < 30; ++u) expected.add_user(u, written, v, sum[u], held[u]);
    const std::vector<NormalPart*> both{&parts[0], &parts[1]};
    normal.gather(both);
    Numbers b(9), c;
    for (double& value : b) value = draw();
    c = b;
    for (std::size_t r = 0; r < 9; ++r) {
        normal.add_diagonal(r, 0.1);
        expected.add_diagonal(r, 0.1);
    }
    normal.factor();
    normal.solve(b);
    expected.factor();
    expected.solve(c);
    for (std::size_t r = 0; r < 9; ++r) CHECK(b[r] == doctest::Approx(c[r]).epsilon(1e-9));
}

TEST_CASE("fair layout: common entries once, options filled up to one length") {
    // user 0: resource 0 alike, 1 | 2 and 3 | 4 and 5; user 1: one option, all of it common; user 2: none
    const Options o(Indices{0, 3, 4, 4}, Indices{0, 2, 5, 8, 10}, Indices{0, 1, 0, 2, 3, 0, 4, 5, 1, 2},
                    Numbers{2.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 3.0, 0.0}, 6);
    const FairLayout layout(o, {}, 0);
    CHECK(layout.of_common == std::vector<std::uint32_t>{0, 1, 2, 2});
    CHECK(layout.common_row == std::vector<std::uint32_t>{0, 1});
    CHECK(layout.of_option == std::vector<std::uint32_t>{0, 2, 4, 6, 6});
    CHECK(layout.row == std::vector<std::uint32_t>{1, 1, 2, 3, 4, 5});
    CHECK(layout.source[1] == FairLayout::kFill);
    CHECK(layout.source[2] == 3);
}

TEST_CASE("fair: one resource, log utility, no demand in the way: rates are in proportion to weights") {
    const Options o(Indices{0, 1, 2, 3}, Indices{0, 1, 2, 3}, Indices{0, 0, 0}, Numbers{1.0, 1.0, 1.0}, 1);
    const Numbers demand{100.0, 100.0, 100.0}, weight{1.0, 2.0, 5.0}, alpha{1.0, 1.0, 1.0}, capacity{8.0};
    const FairProblem problem(o, {demand, weight, alpha, capacity, {}});
    const FairAnswer a = FairSolver(o).solve(problem, {}, {.tolerance = 1e-8});
    for (std::size_t u = 0; u < 3; ++u) CHECK(a.x[u] == doctest::Approx(weight[u]).epsilon(1e-3));
    CHECK(a.price[0] == doctest::Approx(1.0).epsilon(1e-3));  // sum of weights over capacity
    CHECK(a.worth.violation <= 1e-12);
    CHECK(a.gap <= 1e-8);
}

TEST_CASE("fair: parts may be done in any order, to the bit") {
    Draw draw;
    Indices users{0}, options{0}, resource;
    for (index_t u = 0; u < 26000; ++u) {
        for (index_t node = 0; node < 2; ++node) {
            resource.insert(resource.end(), {(u + node) % 5, 5 + u % 3});
            options.push_back(static_cast<index_t>(resource.size()));
        }
        users.push_back(static_cast<index_t>(options.size()) - 1);
    }
    const Options o(users, options, resource, Numbers(resource.size(), 1.0), 8);
    Numbers demand(26000), weight(26000), alpha(26000, 1.0);
    for (double& value : demand) value = 0.5 + draw();
    for (double& value : weight) value = 0.5 + draw();
    const FairProblem problem(o, {demand, weight, alpha, Numbers(8, 3000.0)});
    const FairAnswer there = FairSolver(o).solve(problem, {}, {});
    std::size_t most = 0;
    const RunParts backwards = [&](std::size_t parts, const std::function<void(std::size_t)>& part) {
        most = std::max(most, parts);
        for (std::size_t i = parts; i-- > 0;) part(i);
    };
    const FairAnswer back = FairSolver(o).solve(problem, {}, {.run = backwards});
    CHECK(most > 1);
    CHECK(there.x == back.x);
    CHECK(there.price == back.price);
    CHECK(there.gap <= 1e-3);
}

TEST_CASE("fair: a twin of every resource changes no rate") {
    const Options o(Indices{0, 1, 2}, Indices{0, 2, 4}, Indices{0, 1, 0, 1}, Numbers(4, 1.0), 2);
    const Numbers demand{9.0, 9.0}, weight{1.0, 1.0}, alpha{2.0, 2.0}, capacity{4.0, 4.0};
    const FairProblem problem(o, {demand, weight, alpha, capacity, {}});
    const FairAnswer a = FairSolver(o).solve(problem, {}, {.tolerance = 1e-6});
    CHECK(a.gap <= 1e-6);
    CHECK(a.x[0] == doctest::Approx(2.0).epsilon(1e-3));
    CHECK(a.x[1] == doctest::Approx(2.0).epsilon(1e-3));
}

TEST_CASE("routing: two disjoint paths share in proportion to capacity, and the bound meets the split") {
    const Options o(Indices{0, 2}, Indices{0, 1, 2}, Indices{0, 1}, Numbers{1.0, 1.0}, 2);
    const Numbers demand{6.0}, capacity{10.0, 20.0};
    const RoutingProblem problem(o, demand, capacity);
    const RoutingAnswer a = route(problem, {}, {100, 1e-9, {}});
    CHECK(a.worth.utilisation == doctest::Approx(0.2).epsilon(1e-8));
    CHECK(a.share[0] == doctest::Approx(1.0 / 3.0).epsilon(1e-7));
    CHECK(a.bound <= a.worth.utilisation);
    CHECK(a.bound == doctest::Approx(0.2).epsilon(1e-8));
}

TEST_CASE("what cannot be is refused by its index") {
    const Options o(Indices{0, 1}, Indices{0, 1}, Indices{0}, Numbers{1.0}, 1);
    const Numbers one{1.0}, none{0.0}, nan{std::nan("")};
    CHECK_THROWS_WITH_AS(FairProblem(o, {nan, one, one, one, {}}), doctest::Contains("demand[0]"), InvalidArgument);
    CHECK_THROWS_WITH_AS(RoutingProblem(o, one, none), doctest::Contains("demand[0]"), InvalidArgument);
    CHECK_THROWS_WITH_AS(Options(Indices{0, 1}, Indices{0, 1}, Indices{4}, Numbers{1.0}, 1),
                         doctest::Contains("resource[0]"), InvalidArgument);
}

}  // namespace families_test
