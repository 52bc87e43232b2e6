#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "radio/coupling.hpp"
#include "radio/decibel.hpp"
#include "radio/links.hpp"

namespace radio_test {

using namespace tiertwin;
using namespace tiertwin::radio;
using doctest::Approx;

namespace {

std::vector<Cell> town(index_t sites, double side, Stream& stream) {
    std::vector<Cell> cells;
    for (index_t site = 0; site < sites; ++site) {
        const double x = side * stream.uniform(), y = side * stream.uniform();
        const bool small = stream.uniform() < 0.3;
        for (int sector = 0; sector < (small ? 1 : 3); ++sector) {
            Cell cell;
            cell.x = x;
            cell.y = y;
            cell.height = small ? 10.0 : 25.0;
            cell.power_dbm = small ? 33.0 : 46.0;
            cell.environment = small ? Environment::umi : Environment::uma;
            cell.sector.azimuth = 120.0 * sector;
            cell.sector.every_way = small;
            cell.site = static_cast<std::int32_t>(site);
            cells.push_back(cell);
        }
    }
    return cells;
}

}  // namespace

TEST_CASE("a prepared law gives the path loss and the shadows of propagation.hpp at every distance") {
    Stream stream(1, 2, 3);
    for (const Environment e : {Environment::uma, Environment::umi, Environment::rma, Environment::inh}) {
        for (int i = 0; i < 2000; ++i) {
            const bool indoor = e == Environment::inh;
            const double user = e == Environment::rma ? 1.0 + 9.0 * stream.uniform() : 1.5 + 21.0 * stream.uniform();
            const double ghz = 0.5 + 29.5 * stream.uniform(), base = indoor ? 3.0 : 23.5 + 10.0 * stream.uniform();
            const double around = e == Environment::uma && user > 14.0 && stream.uniform() < 0.5 ? 12.0 : 1.0;
            const Geometry at{(indoor ? 150.0 : 5000.0) * stream.uniform() * stream.uniform(), base, user};
            const LossLaw law(e, ghz, base, user, around);
            const LossLaw::Medians found = law.at(at.distance);
            CHECK(found.clear == Approx(path_loss(e, at, ghz, true, around)).epsilon(1e-12));
            CHECK(found.hidden == Approx(path_loss(e, at, ghz, false, around)).epsilon(1e-12));
            CHECK(law.sigma_hidden() == shadowing(e, at, ghz, false).sigma);
            if (around == 1.0) CHECK(law.sigma_clear(at.distance) == shadowing(e, at, ghz, true).sigma);
        }
    }
}

TEST_CASE("rings hold every place once, none nearer than they say, from on the map and off it") {
    Stream stream(4, 5, 6);
    for (const double depth : {0.0, 10.0, 3000.0}) {
        std::vector<double> x(200), y(200);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = 3000.0 * stream.uniform();
            y[i] = depth * stream.uniform();
        }
        const MastGrid grid(x, y);
        for (int i = 0; i < 50; ++i) {
            const double at_x = 9000.0 * stream.uniform() - 3000.0, at_y = 9000.0 * stream.uniform() - 3000.0;
            const MastGrid::Square from = grid.square_of(at_x, at_y);
            std::vector<int> seen(x.size());
            for (index_t ring = 0; ring <= grid.last_ring(from); ++ring) {
                grid.visit(from, ring, [&](std::int32_t place) {
                    const auto p = static_cast<std::size_t>(place);
                    ++seen[p];
                    CHECK(std::hypot(at_x - x[p], at_y - y[p]) >= grid.least_distance(ring));
                });
            }
            CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
        }
    }
}

TEST_CASE("the strongest masts are those of a look at all of them") {
    Stream stream(7, 8, 9);
    const CellMap map(town(150, 12'000.0, stream));
    for (int i = 0; i < 200; ++i) {
        const double x = 20'000.0 * stream.uniform() - 4000.0, y = 20'000.0 * stream.uniform() - 4000.0;
        std::vector<std::pair<double, std::int32_t>> all;
        for (std::size_t m = 0; m < map.masts().size(); ++m) {
            const CellMap::Mast& mast = map.masts()[m];
            const CellMap::Kind& kind = map.kinds()[static_cast<std::size_t>(mast.kind)];
            const double distance = std::hypot(x - mast.x, y - mast.y);
            if (distance > kind.reach) continue;
            const double loss = path_loss(kind.environment, {distance, kind.height, 1.5}, kind.ghz, false);
            all.emplace_back(loss - mast.peak, static_cast<std::int32_t>(m));
        }
        std::sort(all.begin(), all.end());
        std::vector<std::int32_t> found(7);
        found.resize(static_cast<std::size_t>(map.nearest_masts(x, y, kAnyCarrier, found)));
        REQUIRE(found.size() == std::min<std::size_t>(all.size(), 7));
        for (std::size_t n = 0; n < found.size(); ++n) CHECK(found[n] == all[n].second);
    }
}

TEST_CASE("decibels become ratios to 14 digits") {
    for (double db = -900.0; db <= 900.0; db += 0.37)
        CHECK(from_db(db) == Approx(std::pow(10.0, db / 10)).epsilon(1e-13));
    CHECK(from_db(0.0) == 1.0);
}

TEST_CASE("quantiles are the inverse of shares; comparing is exact where the table cannot tell") {
    Stream stream(10, 11, 12);
    for (int i = 0; i < 5000; ++i) {
        const double share = stream.uniform() * 0.9999 + 5e-5, value = normal_quantile(share);
        CHECK(normal_share(value) == Approx(share).epsilon(1e-13));
        for (const double nearly : {share, normal_share(value), std::nextafter(normal_share(value), 1.0), 0.0, 1.0}) {
            CHECK(below_share(value, nearly) == (normal_share(value) < nearly));
        }
    }
    CHECK(normal_quantile(0.5) == Approx(0.0).epsilon(1e-15));
    CHECK(normal_quantile(0.975) == Approx(1.959963984540054).epsilon(1e-14));
    for (const double value : {-4.0, 4.0, -40.0, 40.0}) CHECK(below_share(value, 0.5) == (value < 0.0));
    CHECK_THROWS_AS(static_cast<void>(normal_quantile(1.0)), InvalidArgument);
}

TEST_CASE("two cells that disturb each other: the load is the root of its equation") {
    std::vector<Cell> cells(2);
    cells[1].x = 500.0;
    cells[1].site = 1;
    const CellMap map(cells);
    // Received: own -80 dBm, other -90 dBm; noise -94 dBm (20 MHz, 7 dB). Each cell has a user of demand d.
    const std::vector<double> gains{-123.0, -133.0, -123.0, -133.0};
    const std::vector<std::int32_t> ids{0, 1, 1, 0}, serving{0, 0};
    const Links links(map, gains, ids, serving, {});
    const double demand = 2e7, noise = std::pow(10.0, (-174.0 + 10.0 * std::log10(20e6) + 7.0) / 10.0);
    double low = 0.0, high = 1.0;
    for (int i = 0; i < 100; ++i) {
        const double load = 0.5 * (low + high);
        const double rate = 20e6 * 0.7 * std::log2(1.0 + 1e-8 / (load * 1e-9 + noise));
        (demand / rate > load ? low : high) = load;
    }
    const Coupling found = coupled_loads(links, std::vector<double>(2, demand), {1e-12, 1000, {}});
    CHECK(found.converged);
    CHECK(found.load[0] == Approx(low).epsilon(1e-10));
    CHECK(found.load[0] == found.load[1]);
    CHECK(found.saturated.empty());
    const Coupling flooded = coupled_loads(links, std::vector<double>(2, 100 * demand), {1e-12, 1000, {}});
    CHECK(flooded.saturated == std::vector<std::int32_t>{0, 1});
    CHECK(flooded.load[1] == 1.0);
    CHECK(flooded.wanted[1] > 40.0);
}

}  // namespace radio_test
