#include "graph/graph.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "graph/components.hpp"
#include "graph/ecmp.hpp"
#include "graph/overlay.hpp"
#include "graph/partition.hpp"
#include "graph/paths.hpp"
#include "graph/search.hpp"

namespace graph_test {

using namespace tiertwin;

namespace {

using GraphPtr = std::shared_ptr<const Graph>;

// 0 -> 1 -> 3 and 0 -> 2 -> 3, both of length 2; 3 -> 4; a slow direct 0 -> 3.
GraphPtr diamond() {
    GraphBuilder builder(5);
    builder.add_link({0}, {1}, 1);
    builder.add_link({0}, {2}, 1);
    builder.add_link({1}, {3}, 1);
    builder.add_link({2}, {3}, 1);
    builder.add_link({3}, {4}, 1);
    builder.add_link({0}, {3}, 2.5);
    return builder.build();
}

GraphPtr grid(index_t side) {
    GraphBuilder builder(side * side);
    for (index_t y = 0; y < side; ++y)
        for (index_t x = 0; x < side; ++x) {
            if (x + 1 < side) builder.add_both({y * side + x}, {y * side + x + 1}, 1);
            if (y + 1 < side) builder.add_both({y * side + x}, {y * side + x + side}, 1);
        }
    return builder.build();
}

struct Paths {
    std::vector<double> distance;
    std::vector<index_t> via;
};

Paths paths_from(const Graph& graph, index_t source, const Overlay* overlay = nullptr) {
    const auto nodes = static_cast<std::size_t>(graph.node_count());
    Paths paths{std::vector<double>(nodes), std::vector<index_t>(nodes)};
    shortest_paths(graph, overlay, {source}, paths.distance, paths.via);
    return paths;
}

std::vector<std::vector<index_t>> numbers(const std::vector<std::vector<LinkId>>& paths) {
    std::vector<std::vector<index_t>> plain;
    for (const auto& path : paths) {
        plain.emplace_back();
        for (const LinkId link : path) plain.back().push_back(link.value);
    }
    return plain;
}

}  // namespace

TEST_CASE("rows hold every link once, in link order, seen from both ends") {
    const GraphPtr graph = diamond();
    index_t arcs = 0;
    for (index_t u = 0; u < graph->node_count(); ++u) {
        for (const Arc& arc : graph->out_arcs({u})) CHECK(graph->tail({arc.link}).value == u);
        for (const Arc& arc : graph->in_arcs({u})) CHECK(graph->head({arc.link}).value == u);
        const auto row = graph->out_arcs({u});
        CHECK(std::ranges::is_sorted(row, {}, &Arc::link));
        arcs += static_cast<index_t>(row.size());
    }
    CHECK(arcs == graph->link_count());
}

TEST_CASE("the heap pops by (key, node) whatever the order of pushes") {
    Stream random(1, 2, 3);
    Heap4 heap;
    for (int i = 0; i < 1000; ++i)
        heap.push({static_cast<double>(random.below(20)), static_cast<std::int32_t>(random.below(100))});
    QueueItem last{0.0, 0};
    while (!heap.empty()) {
        const QueueItem item = heap.pop();
        CHECK_FALSE(item < last);
        last = item;
    }
}

TEST_CASE("of equally short ways the lowest link id is reported") {
    const GraphPtr graph = diamond();
    const Paths paths = paths_from(*graph, 0);
    CHECK(paths.distance == std::vector<double>{0, 1, 1, 2, 3});
    CHECK(paths.via == std::vector<index_t>{-1, 0, 1, 2, 4});
}

TEST_CASE("an overlay fails and scales without touching the graph") {
    const GraphPtr graph = diamond();
    Overlay overlay(graph);
    overlay.fail_node({1});
    overlay.scale_weight({1}, 10);
    const Paths paths = paths_from(*graph, 0, &overlay);
    CHECK(paths.distance == std::vector<double>{0, kUnreachable, 10, 2.5, 3.5});
    overlay.restore_node({1});
    CHECK(paths_from(*graph, 0, &overlay).distance[3] == 2);
    CHECK(paths_from(*graph, 0).distance[2] == 1);
    overlay.fail_node({0});
    CHECK(paths_from(*graph, 0, &overlay).distance == std::vector<double>(5, kUnreachable));
}

TEST_CASE("k shortest paths come by (length, link ids)") {
    const GraphPtr graph = diamond();
    CHECK(numbers(k_shortest(graph, nullptr, {0}, {4}, 9)) ==
          std::vector<std::vector<index_t>>{{0, 2, 4}, {1, 3, 4}, {5, 4}});
    CHECK(k_shortest(graph, nullptr, {0}, {4}, 2).size() == 2);
    CHECK(k_shortest(graph, nullptr, {0}, {0}, 3).empty());
    CHECK(k_shortest(graph, nullptr, {4}, {0}, 3).empty());
}

TEST_CASE("ECMP splits evenly over next hops, not over paths") {
    // From 0 two next hops; behind 1 the way splits again, behind 2 it does not: shares 1/2 and 1/4, not 1/3 each.
    GraphBuilder builder(6);
    for (const auto& [tail, head] : {std::pair{0, 1}, {0, 2}, {1, 3}, {1, 4}, {2, 4}, {3, 5}, {4, 5}})
        builder.add_link({tail}, {head}, 1);
    const GraphPtr graph = builder.build();
    const std::vector<index_t> source{0}, target{5};
    const std::vector<double> volume{8};
    std::vector<double> load(7), lost(1);
    for (const bool by_hops : {true, false}) {
        ecmp_loads(*graph, nullptr, {source, target, volume}, {by_hops, 0.0}, load, lost);
        CHECK(load == std::vector<double>{4, 4, 2, 2, 4, 2, 6});
        CHECK(lost[0] == 0);
    }
}

TEST_CASE("ECMP tells what it could not send") {
    const GraphPtr graph = diamond();
    Overlay overlay(graph);
    overlay.fail_link({4});
    const std::vector<index_t> source{0, 0, 4, 2}, target{4, 3, 4, 2};
    const std::vector<double> volume{1, 2, 4, 8};
    std::vector<double> load(6), lost(4);
    ecmp_loads(*graph, &overlay, {source, target, volume}, {}, load, lost);
    CHECK(lost == std::vector<double>{1, 0, 0, 0});
    CHECK(load == std::vector<double>{0, 0, 0, 0, 0, 2});
}

TEST_CASE("links of weight zero make no loops") {
    GraphBuilder builder(4);
    builder.add_link({2}, {1}, 0);
    builder.add_link({1}, {2}, 0);
    builder.add_link({0}, {1}, 1);
    builder.add_link({2}, {3}, 1);
    const GraphPtr graph = builder.build();
    CHECK(paths_from(*graph, 0).via == std::vector<index_t>{-1, 2, 1, 3});
    CHECK(numbers(k_shortest(graph, nullptr, {0}, {3}, 5)) == std::vector<std::vector<index_t>>{{2, 1, 3}});
    const std::vector<index_t> source{0}, target{3};
    const std::vector<double> volume{1};
    std::vector<double> load(4), lost(1);
    ecmp_loads(*graph, nullptr, {source, target, volume}, {false, 0.0}, load, lost);
    CHECK(load == std::vector<double>{0, 1, 1, 1});
}

TEST_CASE("components are numbered by their lowest node; failed nodes are in none") {
    GraphBuilder builder(6);
    builder.add_link({4}, {1}, 1);
    builder.add_link({2}, {3}, 1);
    builder.add_link({0}, {2}, 1);
    const GraphPtr graph = builder.build();
    std::vector<index_t> label(6);
    CHECK(components(*graph, nullptr, label) == 3);
    CHECK(label == std::vector<index_t>{0, 1, 0, 0, 1, 2});
    Overlay overlay(graph);
    overlay.fail_node({2});
    CHECK(components(*graph, &overlay, label) == 4);
    CHECK(label == std::vector<index_t>{0, 1, -1, 2, 1, 3});
}

TEST_CASE("a partition has k connected groups of about equal weight") {
    const GraphPtr graph = grid(20);
    const std::vector<double> weight(400, 1.0);
    std::vector<index_t> group(400);
    partition(*graph, 7, weight, 3, group);
    std::vector<index_t> size(7);
    for (const index_t g : group) ++size[static_cast<std::size_t>(g)];
    CHECK(*std::ranges::max_element(size) - *std::ranges::min_element(size) <= 2);
    GraphBuilder inside(400);  // only links within groups: as many components as groups
    for (index_t l = 0; l < graph->link_count(); ++l) {
        const NodeId tail = graph->tail({l}), head = graph->head({l});
        if (group[static_cast<std::size_t>(tail.value)] == group[static_cast<std::size_t>(head.value)])
            inside.add_link(tail, head, 1);
    }
    std::vector<index_t> label(400);
    CHECK(components(*inside.build(), nullptr, label) == 7);
}

TEST_CASE("bad input is refused with its place") {
    GraphBuilder builder(2);
    builder.add_link({0}, {2}, 1);
    CHECK_THROWS_WITH_AS((void)builder.build(), "link 0 enters node 2, but nodes are 0..1", InvalidArgument);
    const GraphPtr graph = diamond();
    Overlay overlay(graph);
    CHECK_THROWS_AS(overlay.scale_weight({0}, std::nan("")), InvalidArgument);
    CHECK_THROWS_AS(overlay.fail_link({6}), InvalidArgument);
    CHECK_THROWS_AS((void)k_shortest(graph, nullptr, {0}, {7}, 1), InvalidArgument);
    std::vector<index_t> group(5);
    CHECK_THROWS_AS(partition(*graph, 0, std::vector<double>(5, 1.0), 1, group), InvalidArgument);
}

}  // namespace graph_test
