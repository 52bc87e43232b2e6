#include "plant/plant_users.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "base/error.hpp"
#include "plant/plant.hpp"
#include "two_cells.hpp"

namespace plant_users_test {

using namespace tiertwin;
using namespace tiertwin::plant;

namespace {

constexpr std::int64_t kUsers = 24;

// Two cells that face each other, one a site; every third user walks.
AccessConfig users_of_two_cells() {
    AccessConfig c = tests::two_cells(9);
    for (std::int64_t u = 0; u < kUsers; ++u) {
        c.user_key.push_back(u);
        c.user_class.push_back(u % 2);
        c.user_zone.push_back(0);
        c.user_walk.push_back(u % 3 == 0 ? 3 : 0);
        c.user_train.push_back(0);
        c.user_indoors.push_back(0);
        c.user_x.push_back(40.0 * static_cast<double>(u));
        c.user_y.push_back(500.0);
        c.user_z.push_back(1.5);
    }
    c.class_report_s = {0, 0};
    c.cell_report_s = 0;
    c.flow_pps = {20, 0, 0, 0};
    c.flow_on_s = c.flow_off_s = {1, 1, 1, 1};
    c.flow_arrival = c.flow_size = {0, 0, 0, 0};
    c.flow_bytes = {1250, 1250, 1250, 1250};
    c.flow_burst = {1, 1, 1, 1};
    c.flow_buffer = {100, 60, 100, 100};
    c.unseen_share = 0;
    return c;
}

// Two sites, a fog and a cloud around them; two classes, two rings.
Config around() {
    Config c;
    c.seed = 9;
    c.device_any_order = true;
    for (std::int64_t u = 0; u < kUsers; ++u) {
        c.device_site.push_back(1 - u % 2);
        c.device_class.push_back(u % 2);
        c.device_ring.push_back(1);
        c.device_key.push_back(u);
        c.device_ghz.push_back(1.0);
    }
    c.class_tasks_per_s = {20.0, 5.0};
    c.class_megabits = {0.4, 0.1};
    c.class_gcycles = {0.005, 0.01};
    c.class_deadline_s = {0.1, 0.1};
    c.class_transmit_w = {0.5, 0.5};
    c.class_arrival = {0, 0};
    c.class_exponential = {1, 0};
    c.class_on_s = c.class_off_s = c.trace_repeat_s = {0.0, 0.0};
    c.trace_ptr = {0, 0, 0};
    c.ring_rate_mbps = {50.0, 10.0};
    c.radio_factor = {1.0};
    c.site_cells = {1.0, 1.0};
    c.link_capacity_mbps = {1e3, 1e3, 1e3};
    c.link_propagation_s = {0.001, 0.001, 0.002};
    c.link_background_mbps = {0.0, 0.0, 0.0};
    c.link_site = {0, 1, -1};
    c.site_fog = {0, 0};
    c.route_site_ptr = {0, 1, 2};
    c.route_site_links = {0, 1};
    c.route_fog_ptr = {0, 1};
    c.route_fog_links = {2};
    c.server_cores = {2.0, 2.0, 4.0, 4.0};
    c.server_core_ghz = {1.0, 1.0, 1.0, 1.0};
    c.server_idle_w = c.server_j_per_gcycle = {0.0, 0.0, 0.0, 0.0};
    c.server_discipline = {2, 2, 2, 2};
    c.server_site = {0, 1, -1, -1};
    return c;
}

std::vector<std::int64_t> all_groups(const Config& config) {
    std::vector<std::int64_t> groups;
    for (index_t g = 0; g < config.groups(); ++g) groups.push_back(g);
    return groups;
}

std::vector<double> everywhere(std::size_t groups) {
    std::vector<double> shares;
    for (std::size_t g = 0; g < groups; ++g) {
        for (const double share : {0.1, 0.4, 0.2, 0.2}) shares.push_back(share);
    }
    return shares;
}

}  // namespace

TEST_CASE("users: every task is counted once in the group of its birth, whatever moves and fails") {
    Plant plant(around());
    plant.enable_access(users_of_two_cells());
    plant.set_group_shares(all_groups(plant.config()), everywhere(8));
    std::vector<std::int64_t> open(8);
    const std::vector<std::int64_t> first = {0};
    for (int k = 1; k <= 20; ++k) {
        if (k == 5 || k == 12) plant.access().set_down(first, k == 5);
        if (k == 8) plant.fail_server(1);
        if (k == 10) plant.repair_server(1);
        plant.run_until(k * 317 * kMillisecond + k);
        const Kpis kpis = plant.take_kpis();
        std::int64_t under_way = 0;
        for (std::size_t g = 0; g < 8; ++g) {
            const GroupCount& count = kpis.groups[g];
            open[g] += count.generated - count.in_time - count.late - count.shed - count.lost;
            CHECK(open[g] >= 0);
            under_way += open[g];
        }
        CHECK(under_way == kpis.in_flight);
        REQUIRE(kpis.radio.has_value());
        CHECK(kpis.radio->down_sent > 0);
        CHECK(kpis.station_j.size() == 2);
    }
    CHECK(plant.truth_device_sites() != plant.config().device_site);
    const auto batch = plant.take_group_reports(plant.now() + kSecond);
    CHECK(batch.rows.size() % 4 == 0);
    CHECK(batch.rows.size() >= 40);
    for (const auto& row : batch.rows) CHECK(row.id / 4 == row.site);
}

TEST_CASE("users: the ring is the one whose rate is nearest by its logarithm, the slowest for who is not heard") {
    const Config config = around();
    const PlantUsers users(config, users_of_two_cells(), Chance(config.seed));
    CHECK(users.ring_of(1e3) == 0);
    CHECK(users.ring_of(22.4) == 0);  // sqrt(500) = 22.36
    CHECK(users.ring_of(22.3) == 1);
    CHECK(users.ring_of(0.0) == 1);
}

TEST_CASE("users: what does not fit together is refused with the place, and leaves a plant without") {
    const auto refused = [](auto change, const char* told) {
        AccessConfig access = users_of_two_cells();
        Config config = around();
        change(access, config);
        Plant plant(config);
        CHECK_THROWS_WITH_AS(plant.enable_access(access), doctest::Contains(told), InvalidArgument);
        CHECK_FALSE(plant.has_access());
        CHECK_THROWS_AS(static_cast<void>(plant.access()), InvalidArgument);
        plant.run_until(kSecond);
    };
    refused([](AccessConfig& a, Config&) { a.cell_site[1] = 2; }, "cell_site[1]: expected a site from 0 to 1, got 2");
    refused([](AccessConfig& a, Config&) { a.user_class[3] = 0; }, "user_class[3]: expected the device's, 1, got 0");
    refused([](AccessConfig& a, Config&) { a.user_key[3] = 9; }, "user_key[3]");
    refused([](AccessConfig& a, Config&) { a.class_report_s = {0, 1}; }, "class_report_s[1]: expected 0");
    refused([](AccessConfig& a, Config&) { a.cell_report_s = 1; }, "cell_report_s: expected 0");
    refused([](AccessConfig& a, Config&) { a.cell_prbs[0] = 0; }, "cell_prbs[0]");
    refused([](AccessConfig&, Config& c) { c.class_megabits[0] = 2e5; }, "class_megabits[0]: expected at most");
    refused(
        [](AccessConfig&, Config& c) {
            for (auto* array : {&c.device_site, &c.device_class, &c.device_ring, &c.device_key}) array->pop_back();
            c.device_ghz.pop_back();
        },
        "expected as many users as devices, 23, got 24");
    refused(
        [](AccessConfig&, Config& c) {
            for (auto* array : {&c.class_tasks_per_s, &c.class_megabits, &c.class_gcycles, &c.class_deadline_s,
                                &c.class_transmit_w, &c.class_on_s, &c.class_off_s, &c.trace_repeat_s}) {
                array->push_back(0.0);
            }
            c.class_arrival.push_back(0);
            c.class_exponential.push_back(0);
            c.trace_ptr.push_back(0);
        },
        "expected as many classes as the plant, 3, got 2");
}

TEST_CASE("users: access comes once, before anything happened, and its cells sleep themselves") {
    SleepConfig sleep;
    sleep.station = {0, 0};
    Plant late(around());
    late.run_until(1);
    CHECK_THROWS_AS(late.enable_access(users_of_two_cells()), InvalidArgument);
    Plant sleepy(around());
    sleepy.enable_sleep(sleep);
    CHECK_THROWS_WITH_AS(sleepy.enable_access(users_of_two_cells()), doctest::Contains("sleep"), InvalidArgument);
    Plant plant(around());
    CHECK_THROWS_WITH_AS(plant.set_group_shares(all_groups(plant.config()), everywhere(8)),
                         doctest::Contains("set_shares"), InvalidArgument);
    plant.enable_access(users_of_two_cells());
    CHECK_THROWS_AS(plant.enable_access(users_of_two_cells()), InvalidArgument);
    CHECK_THROWS_WITH_AS(plant.enable_sleep(sleep), doctest::Contains("without radio access"), InvalidArgument);
    CHECK_THROWS_WITH_AS(plant.set_shares(std::vector<std::int64_t>{0}, everywhere(1)),
                         doctest::Contains("set_group_shares"), InvalidArgument);
    CHECK_THROWS_WITH_AS(plant.set_group_shares(std::vector<std::int64_t>{8}, everywhere(1)),
                         doctest::Contains("expected a group from 0 to 7, got 8"), InvalidArgument);
    CHECK_THROWS_WITH_AS(plant.set_group_shares(std::vector<std::int64_t>{3}, std::vector{0.5, 0.6, 0.0, 0.0}),
                         doctest::Contains("shares of group 3: expected a sum of at most 1"), InvalidArgument);
}

}  // namespace plant_users_test
