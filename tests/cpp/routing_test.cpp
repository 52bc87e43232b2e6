// The parts of the routing kernel: each case states its rule first.
#include "alloc/routing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "alloc/routing_matrix.hpp"
#include "alloc/routing_reduce.hpp"
#include "alloc/routing_spread.hpp"
#include "draw.hpp"

namespace routing_test {

using namespace tiertwin;
using namespace tiertwin::alloc;
using tiertwin::tests::Draw;

namespace {

using Numbers = std::vector<double>;
using Indices = std::vector<index_t>;

// `users` with `ways` options of two or three resources each.
Options drawn(Draw& draw, index_t users, index_t ways, index_t resources) {
    Indices of_user{0}, of_option{0}, resource;
    for (index_t u = 0; u < users; ++u) {
        for (index_t k = 0; k < ways; ++k) {
            const index_t first = draw.below(resources - 2);
            for (index_t i = 0; i < 2 + (k + u) % 2; ++i) resource.push_back(first + i);
            of_option.push_back(static_cast<index_t>(resource.size()));
        }
        of_user.push_back(static_cast<index_t>(of_option.size()) - 1);
    }
    return {of_user, of_option, resource, Numbers(resource.size(), 1.0), resources};
}

double fullest(const RoutingProblem& p, const Numbers& load) {
    double most = 0.0;
    for (std::size_t r = 0; r < load.size(); ++r) most = std::max(most, load[r] / p.capacity[r]);
    return most;
}

}  // namespace

TEST_CASE("matrix: N x = b for N summed by its definition, by pairs and by the sparse way, however unequal the v are") {
    for (const index_t ways : {2, 3, 24})
        for (const double dominant : {1.0, 1e9}) {
            Draw draw{7};
            const Options o = drawn(draw, 20, ways, 9);
            const std::size_t rows = 9;
            Numbers a(o.use.size()), v(o.options()), full(rows * rows), x(rows), b(rows);
            for (double& value : a) value = 0.5 + draw();
            for (double& value : v) value = draw() + 1e-3;
            RoutingMatrix matrix(o, a);
            matrix.clear();
            for (std::size_t u = 0; u < 20; ++u) {
                v[o.of_user[u]] *= dominant;
                double sum = 0.0;
                Numbers mean(rows);
                for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) sum += v[k];
                for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k)
                    for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e)
                        mean[o.resource[e]] += v[k] / sum * a[e];
                for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) {
                    Numbers row(rows);
                    for (std::size_t r = 0; r < rows; ++r) row[r] = -mean[r];
                    for (std::size_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) row[o.resource[e]] += a[e];
                    for (std::size_t r = 0; r < rows; ++r)
                        for (std::size_t s = 0; s < rows; ++s) full[r * rows + s] += v[k] * row[r] * row[s];
                }
                matrix.add_user(u, v, sum);
            }
            for (std::size_t r = 0; r < rows; ++r) {
                full[r * rows + r] += 0.1;
                matrix.add_diagonal(r, 0.1);
                x[r] = draw();
            }
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t s = 0; s < rows; ++s) b[r] += full[r * rows + s] * x[s];
            matrix.factor();
            matrix.solve(b);
            for (std::size_t r = 0; r < rows; ++r) CHECK(b[r] == doctest::Approx(x[r]).epsilon(1e-5));
        }
}

TEST_CASE("levelling: loads stay those of the split, the fullest falls, and what nothing limits takes all it can") {
    Draw draw{7};
    const Options o = drawn(draw, 60, 3, 12);
    Numbers demand(60), capacity(12);
    for (double& value : demand) value = 0.1 + draw();
    for (double& value : capacity) value = 2.0 + 10.0 * draw();
    const RoutingProblem problem(o, demand, capacity);
    Numbers share(o.options()), load(12);
    fit(problem, share);
    const double before = evaluate(problem, share, load).utilisation;
    Levelling levelling(problem);
    for (const int power : {8, 16, 32, 64, 64, 64}) levelling.sweep(share, load, power);
    Numbers again(12);
    const RoutingWorth worth = evaluate(problem, share, again);
    CHECK(worth.violation <= 1e-12);
    CHECK(worth.utilisation < before);
    CHECK(fullest(problem, load) == doctest::Approx(worth.utilisation));
    const double bound = price_bound(problem, levelling.price(load, 64));
    CHECK(bound <= worth.utilisation);
    CHECK(bound >= 0.9 * worth.utilisation);

    const Options two(Indices{0, 2}, Indices{0, 1, 2}, Indices{0, 1}, Numbers{1.0, 1.0}, 2);
    const RoutingProblem free(two, Numbers{3.0}, Numbers{1.0, std::numeric_limits<double>::infinity()});
    Numbers half{0.5, 0.5}, both(2);
    static_cast<void>(evaluate(free, half, both));
    Levelling(free).sweep(half, both, 8);
    CHECK(half[0] == 0.0);
    CHECK(half[1] == 1.0);
}

TEST_CASE("reduction: options beyond the margin and out of use are not offered; with an infinite margin all are") {
    const Options o(Indices{0, 3}, Indices{0, 1, 2, 3}, Indices{0, 1, 2}, Numbers{1.0, 1.0, 1.0}, 3);
    const Numbers demand{1.0}, capacity{1.0, 1.0, 1.0}, price{1.0, 1.02, 5.0}, none{0.0, 0.0, 0.0};
    const std::vector<char> critical{1, 1, 1};
    const RoutingProblem problem(o, demand, capacity);
    const auto left = [&](const Numbers& share, double margin) {
        return ReducedRouting(problem, critical, none, {share, price, margin}).options->options();
    };
    CHECK(left(Numbers{1.0, 0.0, 0.0}, 0.05) == 2);
    CHECK(left(Numbers{0.5, 0.0, 0.5}, 0.05) == 3);
    CHECK(left(Numbers{1.0, 0.0, 0.0}, std::numeric_limits<double>::infinity()) == 3);
}

TEST_CASE("routing: an earlier answer to the same data is judged and returned; a stop is obeyed before any step") {
    Draw draw{7};
    const Options o = drawn(draw, 60, 3, 12);
    Numbers demand(60), capacity(12, 5.0);
    for (double& value : demand) value = 0.1 + draw();
    const RoutingProblem problem(o, demand, capacity);
    const RoutingAnswer first = route(problem, {}, {200, 1e-6, {}});
    CHECK(first.worth.utilisation <= (1.0 + 1e-6) * first.bound);
    const RoutingAnswer again = route(problem, {first.share, first.price}, {200, 1e-6, {}});
    CHECK(again.sweeps + again.iterations == 0);
    CHECK(again.worth.utilisation == doctest::Approx(first.worth.utilisation).epsilon(1e-12));
    const RoutingAnswer stopped = route(problem, {}, {200, 1e-6, [] { return true; }});
    CHECK(stopped.sweeps + stopped.iterations + stopped.rounds == 0);
    CHECK(stopped.worth.violation <= 1e-12);
}

}  // namespace routing_test
