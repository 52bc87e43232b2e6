// Three nodes in a ring, a site at each, one fog at node 0, the cloud there too: rules one can work out by hand.
#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "base/error.hpp"
#include "ring_belief.hpp"
#include "whatif/model.hpp"

namespace whatif_test {

using namespace tiertwin;
using namespace tiertwin::whatif;
using tiertwin::tests::ring;

namespace {

struct One {
    std::vector<index_t> start, change, part, other;
    std::vector<double> value;
    explicit One(std::vector<std::array<double, 4>> rows = {}) : start{0, static_cast<index_t>(rows.size())} {
        for (const auto& row : rows) {
            change.push_back(static_cast<index_t>(row[0]));
            part.push_back(static_cast<index_t>(row[1]));
            other.push_back(static_cast<index_t>(row[2]));
            value.push_back(row[3]);
        }
    }
    [[nodiscard]] Situations all() const { return {start, change, part, other, value}; }
};

std::array<double, kKpis> row_of(const Model& model, const One& one, Replan replan = Replan::none) {
    require_situations(one.all(), model.belief());
    std::array<double, kKpis> row{};
    sweep(model, one.all(), replan, 0, 1, row);
    return row;
}

double kpi(const std::array<double, kKpis>& row, Kpi which) { return row[static_cast<std::size_t>(which)]; }

}  // namespace

TEST_CASE("routes are the shortest by km and go round what is down") {
    const Model model(ring());
    Player player(model);
    player.enter(One().all(), 0);
    CHECK(player.ways().route[2] == std::vector<index_t>{3, 1});  // 2 -> 1 -> 0: 20 km, not 30
    CHECK(player.ways().route[0].empty());
    CHECK(player.ways().reaches[0]);
    player.enter(One({{0, 0, 0, 0.0}}).all(), 0);
    CHECK(player.ways().route[2] == std::vector<index_t>{5});
    CHECK(player.ways().route[1] == std::vector<index_t>{2, 5});
    CHECK(player.ways().background_mbps[1] == 0.0);  // its demand went round, too
    CHECK(player.ways().background_mbps[2] == 5.0);
    CHECK(player.ways().background_mbps[5] == 5.0);
    player.enter(One({{5, 0, 0, 0.0}}).all(), 0);
    CHECK_FALSE(player.ways().reaches[0]);
    CHECK(player.ways().background_lost_mbps == 5.0);
}

TEST_CASE("a link's share is what background and headroom leave, split by weight") {
    const Model model(ring());
    CHECK(model.backbone().believed().share_mbps[1] == doctest::Approx((98.0 - 5.0) / 2.0));  // sites 1 and 2 cross it
    CHECK(model.backbone().believed().share_mbps[0] == 1000.0);                               // at the gateway itself
    Player player(model);
    player.enter(One({{0, 0, 0, 0.0}}).all(), 0);
    CHECK(player.planned().problem[1].capacity[2] == doctest::Approx(40.0));  // again 93 over two, elsewhere
}

TEST_CASE("what is carried is what the worst resource leaves") {
    const Model model(ring());
    const auto base = row_of(model, One());
    CHECK(kpi(base, Kpi::offered) == 30.0);
    CHECK(kpi(base, Kpi::served) == 30.0);
    const auto slow = row_of(model, One({{3, 3, 0, 0.1}}));  // fog at 10 GHz for 30 Gcycles/s
    CHECK(kpi(slow, Kpi::served) == doctest::Approx(9.8));
    const auto thin = row_of(model, One({{1, 0, 0, 0.15}}));  // 15 Mb/s, 5 of them background, 20 wanted
    CHECK(kpi(thin, Kpi::served) == doctest::Approx(10.0 + 0.98 * 15.0 - 5.0));
    CHECK(kpi(thin, Kpi::link_utilisation_max) == doctest::Approx(25.0 / 15.0));
    const auto both = row_of(model, One({{1, 0, 0, 0.15}, {3, 3, 0, 0.1}}));
    CHECK(kpi(both, Kpi::served) == doctest::Approx(9.8));
}

TEST_CASE("a plan of shares follows the demand, users who move take their tasks along") {
    const Model model(ring());
    CHECK(kpi(row_of(model, One({{8, 1, 0, 2.0}})), Kpi::offered) == 40.0);
    const auto moved = row_of(model, One({{9, 1, 2, 0.5}}));
    CHECK(kpi(moved, Kpi::offered) == 30.0);
    const auto dead = row_of(model, One({{9, 1, 2, 0.5}, {6, 2, 0, 0.0}}));
    CHECK(kpi(dead, Kpi::coverage) == doctest::Approx(0.5));
    CHECK(kpi(dead, Kpi::loss_share) == doctest::Approx(0.5));
    const auto group = row_of(model, One({{10, 1, 2, 0.5}, {6, 2, 0, 0.0}}));  // one group a site: the same
    CHECK(kpi(group, Kpi::coverage) == doctest::Approx(0.5));
    CHECK_THROWS_AS(row_of(model, One({{10, 1, 3, 0.5}})), InvalidArgument);
    CHECK_THROWS_AS(row_of(model, One({{10, 1, 2, 1.5}})), InvalidArgument);
}

TEST_CASE("an edge that plans anew uses what it has") {
    const Model model(ring());
    const auto gone = row_of(model, One({{3, 3, 0, 0.0}}), Replan::none);
    CHECK(kpi(gone, Kpi::served) == 0.0);
    const auto anew = row_of(model, One({{3, 3, 0, 0.0}}), Replan::local);
    CHECK(kpi(anew, Kpi::served) > 25.0);
    CHECK(kpi(anew, Kpi::edge_utilisation) > 0.5);
}

TEST_CASE("a belief or a change that does not fit is refused") {
    Belief bad = ring();
    bad.plan.pop_back();
    CHECK_THROWS_AS(Model{std::move(bad)}, InvalidArgument);
    const Model model(ring());
    CHECK_THROWS_AS(require_situations(One({{0, 3, 0, 0.0}}).all(), model.belief()), InvalidArgument);
    CHECK_THROWS_AS(require_situations(One({{9, 0, 1, 1.5}}).all(), model.belief()), InvalidArgument);
}

}  // namespace whatif_test
