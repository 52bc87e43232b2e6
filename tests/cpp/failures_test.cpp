#include "whatif/failures.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "graph/cables.hpp"
#include "graph/cuts.hpp"

namespace failures_test {

using namespace tiertwin;

namespace {

// 0 - 1 - 2 - 0 a ring; 3 hangs on 2, 4 and 5 on 3; 6 - 7 an island. Every cable both ways: cable c is links 2c, 2c
// + 1.
std::shared_ptr<const Graph> ring_with_a_tail() {
    GraphBuilder builder(8);
    for (const auto& [a, b] : {std::pair{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 4}, {3, 5}, {6, 7}})
        builder.add_both({a}, {b}, 1);
    return builder.build();
}

struct Lost {
    std::vector<double> by_cable, by_node, already;
};

Lost single(const Cables& cables, const std::vector<index_t>& roots, const Overlay* overlay = nullptr) {
    const std::vector<double> one(static_cast<std::size_t>(cables.node_count()), 1.0);
    Lost lost{std::vector<double>(static_cast<std::size_t>(cables.count())), std::vector<double>(one.size()), {0.0}};
    single_failures(cables, overlay, roots, {one, 1}, {lost.by_cable, lost.by_node, lost.already});
    return lost;
}

}  // namespace

TEST_CASE("opposite links make a cable, in link order") {
    GraphBuilder builder(3);
    for (const auto& [a, b] : {std::pair{0, 1}, {0, 1}, {1, 0}, {1, 2}, {2, 2}, {1, 0}, {1, 0}})
        builder.add_link({a}, {b}, 1);
    const Cables cables(builder.build());
    CHECK(std::vector<std::int32_t>(cables.of_links().begin(), cables.of_links().end()) ==
          std::vector<std::int32_t>{0, 1, 0, 2, 3, 1, 4});
    CHECK(cables.count() == 5);
    CHECK(cables.ends(2).size() == 1);  // not its loop
}

TEST_CASE("a failure costs what it cuts off from every root") {
    const Cables cables(ring_with_a_tail());
    const Lost one = single(cables, {0});
    CHECK(one.by_cable == std::vector<double>{0, 0, 0, 3, 1, 1, 0});
    CHECK(one.by_node == std::vector<double>{6, 1, 4, 3, 1, 1, 0, 0});
    CHECK(one.already[0] == 2);
    const Lost two = single(cables, {0, 4});
    CHECK(two.by_cable == std::vector<double>{0, 0, 0, 0, 0, 1, 0});
    CHECK(two.by_node == std::vector<double>{1, 1, 1, 2, 1, 1, 0, 0});
}

TEST_CASE("what is down already costs nothing more") {
    const auto graph = ring_with_a_tail();
    const Cables cables(graph);
    Overlay overlay(graph);
    overlay.fail_link({2});  // the way back of this cable is up: it still joins
    CHECK(single(cables, {0}, &overlay).by_cable == single(cables, {0}).by_cable);
    overlay.fail_link({3});
    overlay.fail_node({4});
    const Lost lost = single(cables, {0}, &overlay);
    CHECK(lost.by_cable == std::vector<double>{1, 0, 3, 2, 0, 1, 0});
    CHECK(lost.by_node == std::vector<double>{5, 1, 3, 2, 0, 1, 0, 0});
    CHECK(lost.already[0] == 3);
    overlay.fail_node({0});
    CHECK(single(cables, {0}, &overlay).already[0] == 8);
}

TEST_CASE("a core is small, and pairs of it are the same cut into ranges") {
    // 40 nodes in a ring with chords, 2000 devices on them in chains of two.
    Stream random(1, 2, 3);
    GraphBuilder builder(2040);
    for (index_t v = 0; v < 40; ++v) builder.add_both({v}, {(v + 1) % 40}, 1);
    for (int i = 0; i < 10; ++i)
        builder.add_both({static_cast<index_t>(random.below(40))}, {static_cast<index_t>(random.below(40))}, 1);
    for (index_t v = 40; v < 2040; ++v)
        builder.add_both({v}, {v % 2 == 0 ? static_cast<index_t>(random.below(40)) : v - 1}, 1);
    const Cables cables(builder.build());
    std::vector<double> weight(2 * 2040);
    for (double& w : weight) w = static_cast<double>(random.below(10));
    std::vector<index_t> at(50), on(40);
    std::iota(at.begin(), at.end(), 0);
    std::iota(on.begin(), on.end(), 0);
    const Core core(cables, nullptr, std::vector<index_t>{0, 7}, {weight, 2}, {at, on});
    CHECK(core.nodes() == 40);
    std::vector<double> whole(90 * 90 * 2), parts(whole.size());
    failure_pairs(core, 0, 90, whole);
    for (std::size_t first = 0; first < 90; first += 30)
        failure_pairs(core, first, first + 30, std::span(parts).subspan(first * 180, 30 * 180));
    CHECK(whole == parts);
    for (std::size_t i = 0; i < 90; ++i)
        for (std::size_t j = 0; j < 90; ++j) CHECK(whole[(i * 90 + j) * 2] == whole[(j * 90 + i) * 2]);
    std::vector<double> lost(2);
    failure_scenarios(core, {std::vector<index_t>{0, 3}, std::vector<index_t>{4, 50, 57}}, lost);
    CHECK(lost[0] == std::accumulate(weight.begin(), weight.end(), 0.0, [i = 0](double sum, double w) mutable {
              return sum + (i++ % 2 == 0 ? w : 0.0);
          }));  // both roots gone: everything
}

TEST_CASE("failures refuse what does not fit") {
    const auto graph = ring_with_a_tail();
    const Cables cables(graph);
    const std::vector<double> one(8, 1.0);
    CHECK_THROWS_AS((void)single(cables, {}), InvalidArgument);
    CHECK_THROWS_AS((void)single(cables, {8}), InvalidArgument);
    CHECK_THROWS_AS(Cables(graph, std::vector<index_t>(14, 0)), InvalidArgument);
    CHECK_THROWS_AS(Cables(graph, std::vector<index_t>(3, 0)), InvalidArgument);
    const std::vector<index_t> root{0}, twice{1, 1}, none;
    CHECK_THROWS_AS(Core(cables, nullptr, root, {one, 1}, {twice, none}), InvalidArgument);
    CHECK_THROWS_AS(Core(cables, nullptr, root, {one, 2}, {none, none}), InvalidArgument);
    const std::vector<index_t> start{0, 1}, element{5};
    CHECK_THROWS_AS(require_scenarios({start, element}, 5), InvalidArgument);
}

}  // namespace failures_test
