#include "plant/plant.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"

namespace plant_test {

using namespace tiertwin;
using namespace tiertwin::plant;

namespace {

// One device, site, fog and cloud in a row; radio and links so fast that they vanish.
Config small() {
    Config c;
    c.seed = 7;
    c.device_site = c.device_class = c.device_ring = c.device_key = {0};
    c.device_ghz = {1.0};
    c.class_tasks_per_s = {100.0};
    c.class_megabits = {0.01};
    c.class_gcycles = {0.005};
    c.class_deadline_s = {0.1};
    c.class_transmit_w = {0.5};
    c.class_arrival = c.class_exponential = {0};
    c.class_on_s = c.class_off_s = c.trace_repeat_s = {0.0};
    c.trace_ptr = {0, 0};
    c.ring_rate_mbps = {1e6};
    c.radio_factor = {1.0};
    c.site_cells = {1.0};
    c.link_capacity_mbps = {1e6, 1e6};
    c.link_propagation_s = {0.001, 0.002};
    c.link_background_mbps = {0.0, 0.0};
    c.link_site = {0, -1};
    c.site_fog = {0};
    c.route_site_ptr = {0, 1};
    c.route_site_links = {0};
    c.route_fog_ptr = {0, 1};
    c.route_fog_links = {1};
    c.server_cores = {1.0, 1.0, 1.0};
    c.server_core_ghz = {1.0, 1.0, 1.0};
    c.server_idle_w = c.server_j_per_gcycle = {0.0, 0.0, 0.0};
    c.server_discipline = {2, 2, 2};
    c.server_site = {0, -1, -1};
    return c;
}

}  // namespace

TEST_CASE("event tree: the root is the earliest slot, ties to the lowest station") {
    for (const index_t stations : {1, 2, 3, 7, 64, 100}) {
        EventTree tree(stations);
        std::vector<Time> times(static_cast<std::size_t>(stations), plant::kNever);
        const Chance chance(3);
        for (std::uint32_t step = 0; step < 2000; ++step) {
            const PhiloxBlock words = chance.block(0, Purpose::kSize, step);
            const auto station = static_cast<std::size_t>(words[0] % static_cast<std::uint32_t>(stations));
            times[station] = words[1] % 8 == 0 ? plant::kNever : static_cast<Time>(words[2] % 50);
            tree.set(static_cast<std::int32_t>(station), times[station]);
            const auto first = std::min_element(times.begin(), times.end());
            CHECK(tree.top().time == *first);
            if (*first != plant::kNever) CHECK(tree.top().station == first - times.begin());
        }
    }
}

TEST_CASE("sharing: n tasks are served at min(1, m/n) of the speed each") {
    Station station(Discipline::kSharing, 2.0, 1.0, 100.0);
    // Three tasks of 1, 2, 3 at 0: at 2/3 each until 1.5 (the first), then at 1 each: 2.5, 3.5.
    for (const int work : {1, 2, 3}) REQUIRE(station.join(0, work, work));
    CHECK(station.present() == 3);
    CHECK(station.waiting() == 1.0);
    for (const auto& [task, seconds] : {std::pair{1, 1.5}, {2, 2.5}, {3, 3.5}}) {
        const Time due = station.next();
        CHECK(std::abs(static_cast<double>(due) - seconds * 1e9) <= 3.0);
        CHECK(station.depart(due) == task);
    }
    CHECK(station.next() == plant::kNever);
    CHECK(station.busy_s(4 * kSecond) == doctest::Approx(2 * 2.5 + 1.0).epsilon(1e-8));
}

TEST_CASE("first in first out: the earliest free server takes the next task") {
    Station station(Discipline::kFifo, 2.0, 2.0, 100.0);
    for (const int work : {4, 2, 6, 2}) REQUIRE(station.join(0, work, work));
    // Servers: 4 until 2 s; 2 until 1 s then 6 until 4 s; the last 2 from 2 s to 3 s.
    std::vector<double> left;
    while (station.next() != plant::kNever) {
        const Time due = station.next();
        left.push_back(static_cast<double>(due) * 1e-9);
        (void)station.depart(due);
    }
    CHECK(left == std::vector<double>{1.0, 2.0, 3.0, 4.0});
}

TEST_CASE("equal work leaves in the order it came; a full or failed station refuses") {
    for (const Discipline discipline : {Discipline::kSharing, Discipline::kFifo}) {
        Station station(discipline, 1.0, 1.0, 2.5);
        REQUIRE(station.join(0, 0, 1.0));
        REQUIRE(station.join(0, 1, 1.0));
        REQUIRE(station.join(0, 2, 1.0));
        CHECK_FALSE(station.join(0, 3, 1.0));  // 3 s of work, 2.5 s of buffer
        for (TaskId task = 0; task < 2; ++task) CHECK(station.depart(station.next()) == task);
        CHECK(station.evict(3 * kSecond) == std::vector<TaskId>{2});
        station.set_up(false);
        CHECK_FALSE(station.join(3 * kSecond, 4, 1.0));
        station.set_up(true);
        CHECK(station.join(3 * kSecond, 5, 1.0));
        CHECK(station.next() == 4 * kSecond);
    }
}

TEST_CASE("link: departure = max(now, free) + megabits / (capacity - background), then propagation") {
    TaskPool pool;
    Link link(true, 100.0, 7e-9, 0.05);
    link.set_background(pool, 0, 50.0);
    std::vector<TaskId> ids;
    for (int i = 0; i < 4; ++i) {
        ids.push_back(pool.take());
        pool[ids.back()].megabits = 1.0;
    }
    REQUIRE(link.join(pool, 0, ids[0], 0));
    REQUIRE(link.join(pool, 10, ids[1], 0));
    CHECK(pool[ids[0]].due == 20 * kMillisecond + 7);
    CHECK(pool[ids[1]].due == 40 * kMillisecond + 7);
    link.set_background(pool, 10, 1000.0);  // leaves 1 %
    REQUIRE(link.join(pool, 10, ids[2], 0));
    CHECK(pool[ids[2]].due == 1040 * kMillisecond + 7);
    CHECK_FALSE(link.join(pool, 10, ids[3], 0));
    CHECK(link.arrive(pool, link.next(pool)) == ids[0]);
    CHECK(link.next(pool) == pool[ids[1]].due);
    CHECK(link.carried_mb() == 1.0);
}

TEST_CASE("latency bins: edges hold what falls into them, less than 0.8 % wide") {
    const Chance chance(5);
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const PhiloxBlock words = chance.block(1, Purpose::kSize, i);
        const auto ns = static_cast<Time>(std::exp2(10.0 + 30.0 * uniform(words[0], words[1])));
        const std::size_t bin = latency_bin(ns);
        CHECK(latency_edge_s(bin) * 1e9 <= static_cast<double>(ns) * (1 + 1e-12));
        CHECK(latency_edge_s(bin + 1) * 1e9 > static_cast<double>(ns) * (1 - 1e-12));
        CHECK(latency_edge_s(bin + 1) / latency_edge_s(bin) <= 1.0 + 1.0 / 128.0 + 1e-12);
    }
    CHECK(latency_bin(-5) == 0);
    CHECK(latency_bin(plant::kNever) == kBins - 1);
}

TEST_CASE("arrivals: windows are cut anywhere, a change of load stretches the rest of the gap and keeps the draws") {
    const Config config = small();
    const Chance chance(config.seed);
    const auto collect = [](Arrivals& arrivals, Time until, Time step, std::vector<NewTask>& into) {
        while (arrivals.generated_until() < until) {
            const auto window = arrivals.next_window(std::min(until, arrivals.generated_until() + step));
            into.insert(into.end(), window.begin(), window.end());
        }
    };
    Arrivals coarse(config, chance), fine(config, chance), doubled(config, chance);
    std::vector<NewTask> a, b, c;
    collect(coarse, 10 * kSecond, kSecond, a);
    collect(fine, 10 * kSecond, 3 * kMillisecond, b);
    doubled.set_load(0, std::vector{2.0});
    collect(doubled, 5 * kSecond, kSecond, c);
    REQUIRE(a.size() == b.size());
    REQUIRE(a.size() == c.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i].time == b[i].time);
        CHECK(a[i].choice == c[i].choice);
        CHECK(std::abs(a[i].time - 2 * c[i].time) <= 2 * static_cast<Time>(i + 2));  // a rounding an arrival
    }
    // Silence and back: nothing in between, and the next gap goes on where it stopped.
    coarse.set_load(10 * kSecond, std::vector{0.0});
    CHECK(coarse.next_window(10 * kSecond + 1).empty());
    a.clear();
    collect(coarse, 20 * kSecond, kSecond, a);
    CHECK(a.empty());
    coarse.set_load(20 * kSecond, std::vector{1.0});
    b.clear();
    collect(coarse, 30 * kSecond, kSecond, a);
    collect(fine, 20 * kSecond, kSecond, b);
    REQUIRE(a.size() == b.size());
    CHECK(std::abs(a.front().time - 10 * kSecond - b.front().time) <= 2);
}

TEST_CASE("plant: every task is counted once, and it is on time where nothing delays it") {
    Plant plant(small());
    plant.set_shares(std::vector<std::int64_t>{0}, std::vector{0.1, 0.2, 0.3, 0.3});
    plant.run_until(100 * kSecond);
    const Kpis kpis = plant.take_kpis();
    const GroupCount& group = kpis.groups.front();
    CHECK(group.generated > 9000);
    CHECK(group.generated == group.in_time + group.late + group.shed + group.lost + kpis.in_flight);
    CHECK(group.late == 0);
    CHECK(group.executed[0] + group.executed[1] + group.executed[2] + group.executed[3] == group.in_time);
    CHECK(static_cast<double>(group.shed) / static_cast<double>(group.generated) == doctest::Approx(0.1).epsilon(0.1));
}

TEST_CASE("plant: wrong configurations and times are refused with the place") {
    const auto refused = [](auto change) {
        Config config = small();
        change(config);
        CHECK_THROWS_AS(Plant{config}, InvalidArgument);
    };
    refused([](Config& c) { c.device_ghz = {0.0}; });
    refused([](Config& c) { c.device_ghz = {1.0, 2.0}; });
    refused([](Config& c) { c.route_site_links = {2}; });
    refused([](Config& c) { c.radio_factor = {}; });
    refused([](Config& c) { c.site_cells = {}; });
    refused([](Config& c) { c.trace_ptr = {0, 1}; });
    refused([](Config& c) { c.trace_ptr = {0, 2}, c.trace_s = {2.0, 1.0}; });
    refused([](Config& c) { c.class_gcycles = {std::nan("")}; });
    Plant plant(small());
    plant.run_until(5);
    CHECK_THROWS_WITH_AS(plant.run_until(4), "run_until: expected a time from now (5 ns) to 9007199254740992 ns, got 4",
                         InvalidArgument);
}

TEST_CASE("report clock: every sender once a period, the first between half and one and a half periods") {
    const Config config = small();
    const Chance chance(config.seed);
    ReportClock clock(config, chance);
    std::vector<Time> device;
    Time before = 0;
    for (int i = 0; i < 60; ++i) {
        CHECK(clock.next() >= before);
        before = clock.next();
        if (clock.turn().sender == Sender::kDevice) device.push_back(before);
        clock.step();
    }
    CHECK(device.front() >= kSecond / 2);
    CHECK(device.front() <= kSecond * 3 / 2);
    for (std::size_t i = 1; i < device.size(); ++i) CHECK(device[i] - device[i - 1] == kSecond);
}

}  // namespace plant_test
