#include "graph/paths.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "graph/between.hpp"
#include "graph/betweenness.hpp"
#include "graph/disjoint.hpp"
#include "graph/flow.hpp"
#include "graph/folding.hpp"
#include "graph/repair.hpp"

namespace paths_test {

using namespace tiertwin;

namespace {

using GraphPtr = std::shared_ptr<const Graph>;

GraphPtr graph_of(index_t nodes, std::initializer_list<std::tuple<index_t, index_t, double>> links) {
    GraphBuilder builder(nodes);
    for (const auto& [tail, head, weight] : links) builder.add_link({tail}, {head}, weight);
    return builder.build();
}

GraphPtr random_graph(index_t nodes, int links, std::uint64_t seed) {
    Stream random(seed, 2, 3);
    GraphBuilder builder(nodes);
    const auto node = [&] { return NodeId{static_cast<index_t>(random.below(static_cast<std::uint32_t>(nodes)))}; };
    for (int l = 0; l < links; ++l) {
        const NodeId tail = node(), head = node();
        builder.add_link(tail, head, static_cast<double>(1 + random.below(9)));
    }
    return builder.build();
}

std::vector<index_t> numbers(const std::vector<LinkId>& path) {
    std::vector<index_t> plain;
    for (const LinkId link : path) plain.push_back(link.value);
    return plain;
}

struct Paths {
    std::vector<double> distance;
    std::vector<index_t> via;
    explicit Paths(const Graph& graph) : distance(static_cast<std::size_t>(graph.node_count())), via(distance.size()) {}
};

}  // namespace

TEST_CASE("a path between two nodes has the distance of a whole search") {
    const GraphPtr graph = random_graph(200, 500, 5);
    PathFinder finder(graph);
    Paths all(*graph);
    for (index_t source = 0; source < 200; source += 9) {
        shortest_paths(*graph, nullptr, {source}, all.distance, all.via);
        for (index_t target = 0; target < 200; ++target)
            CHECK(finder.shortest_path(nullptr, {source}, {target}).length ==
                  all.distance[static_cast<std::size_t>(target)]);
    }
}

TEST_CASE("folding leaves the core, whole trees hang on it") {
    // A ring of three; a chain 3 - 4 - 5 on node 0, joined by two links there; 6 and 7 an island.
    const GraphPtr graph = graph_of(8, {{0, 1, 1},
                                        {1, 2, 1},
                                        {2, 0, 1},
                                        {0, 3, 5},
                                        {0, 3, 2},
                                        {3, 0, 1},
                                        {3, 4, 1},
                                        {4, 3, 1},
                                        {4, 5, 1},
                                        {5, 4, 1},
                                        {6, 7, 1}});
    const Folding folding(graph);
    CHECK(folding.core_count() == 4);  // the ring, and one of the island
    Paths folded(*graph), whole(*graph);
    for (index_t source = 0; source < 8; ++source) {
        folding.shortest_paths(nullptr, {source}, folded.distance, folded.via);
        shortest_paths(*graph, nullptr, {source}, whole.distance, whole.via);
        CHECK(folded.distance == whole.distance);
        CHECK(folded.via == whole.via);
    }
}

TEST_CASE("repaired paths are those of a new search, over many changes") {
    const GraphPtr graph = random_graph(60, 200, 8);
    Overlay overlay(graph);
    RepairedPaths paths(graph, &overlay, {0});
    Stream random(4, 5, 6);
    Paths fresh(*graph);
    for (int round = 0; round < 300; ++round) {
        const index_t link = static_cast<index_t>(random.below(200)), node = static_cast<index_t>(random.below(60));
        const auto kind = random.below(5);
        if (kind == 0) overlay.fail_link({link});
        if (kind == 1) overlay.restore_link({link});
        if (kind == 2) overlay.fail_node({node});
        if (kind == 3) overlay.restore_node({node});
        if (kind == 4) overlay.scale_weight({link}, random.below(2) == 0 ? 2.0 : 0.5);
        paths.update(overlay, std::vector<index_t>{link}, std::vector<index_t>{node});
        shortest_paths(*graph, &overlay, {0}, fresh.distance, fresh.via);
        CHECK(std::ranges::equal(paths.distance(), fresh.distance));
        CHECK(std::ranges::equal(paths.via_link(), fresh.via));
    }
}

TEST_CASE("two disjoint paths give up the shortest one where that pays") {
    // The shortest way 0 1 2 3 blocks both others; together 0 1 3 and 0 2 3 are best.
    const GraphPtr graph = graph_of(4, {{0, 1, 1}, {1, 2, 1}, {2, 3, 1}, {0, 2, 4}, {1, 3, 4}});
    const auto paths = disjoint_paths(*graph, nullptr, {0}, {3}, 5, true);
    REQUIRE(paths.size() == 2);
    CHECK(numbers(paths[0]) == std::vector<index_t>{0, 4});
    CHECK(numbers(paths[1]) == std::vector<index_t>{3, 2});
    // Two ways that cross in node 2: disjoint in links, not in nodes.
    const GraphPtr crossing = graph_of(5, {{0, 1, 1}, {0, 2, 1}, {1, 2, 1}, {2, 3, 1}, {2, 4, 1}, {3, 4, 1}});
    CHECK(disjoint_paths(*crossing, nullptr, {0}, {4}, 2, false).size() == 2);
    CHECK(disjoint_paths(*crossing, nullptr, {0}, {4}, 2, true).size() == 1);
}

TEST_CASE("a maximum flow equals its cut and is conserved") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const GraphPtr graph = random_graph(30, 120, seed);
        const auto capacity = graph->weights();
        const MaxFlow found = max_flow(*graph, nullptr, {0}, {29}, capacity);
        double cut = 0.0;
        for (const LinkId link : found.cut) cut += capacity[static_cast<std::size_t>(link.value)];
        CHECK(found.value == cut);
        std::vector<double> balance(30);
        for (std::size_t l = 0; l < capacity.size(); ++l) {
            CHECK(found.flow[l] >= 0);
            CHECK(found.flow[l] <= capacity[l]);
            balance[static_cast<std::size_t>(graph->tails()[l])] -= found.flow[l];
            balance[static_cast<std::size_t>(graph->heads()[l])] += found.flow[l];
        }
        CHECK(balance[29] == found.value);
        for (std::size_t v = 1; v < 29; ++v) CHECK(balance[v] == 0);
    }
    const GraphPtr graph = random_graph(3, 4, 1);
    CHECK_THROWS_AS((void)max_flow(*graph, nullptr, {0}, {0}, graph->weights()), InvalidArgument);
}

TEST_CASE("betweenness of a path and of a diamond") {
    const GraphPtr path = graph_of(3, {{0, 1, 1}, {1, 2, 1}});
    std::vector<double> node(3), link(2);
    betweenness(*path, nullptr, {}, true, node, link);
    CHECK(node == std::vector<double>{0, 1, 0});
    CHECK(link == std::vector<double>{2, 2});
    const GraphPtr diamond = graph_of(4, {{0, 1, 1}, {0, 2, 1}, {1, 3, 1}, {2, 3, 1}});
    std::vector<double> nodes(4), links(4);
    betweenness(*diamond, nullptr, {}, true, nodes, links);
    CHECK(nodes == std::vector<double>{0, 0.5, 0.5, 0});
    CHECK(links == std::vector<double>{1.5, 1.5, 1.5, 1.5});
}

}  // namespace paths_test
