#include "plant/access.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "plant/access_air.hpp"
#include "plant/access_energy.hpp"
#include "two_cells.hpp"

namespace access_test {

using namespace tiertwin;
using namespace tiertwin::plant;

namespace {

// One station of 10 blocks with flows of 100 bits a block, all attached.
struct OneStation {
    std::uint32_t prbs = 10;
    std::uint8_t in_order = 0;
    Air air;

    explicit OneStation(std::size_t flows, std::uint32_t buffer = 1000, bool order = false)
        : in_order(order ? 1 : 0),
          air({&prbs, 1}, {&in_order, 1}, std::vector<std::uint32_t>(flows, 0),
              std::vector<std::uint32_t>(flows, buffer), 1) {
        air.keep_records();
        for (std::size_t f = 0; f < flows; ++f) {
            air.set_rate(f, 100, 10);
            air.move(f, 0);
        }
    }
    void play(Time until) {
        air.sort(0);
        air.play(0, until);
    }
};

// Two cells of two masts, walkers and devices that stand.
AccessConfig small_network() {
    AccessConfig c = tests::two_cells(5);
    for (std::int64_t u = 0; u < 30; ++u) {
        c.user_key.push_back(u);
        c.user_class.push_back(0);
        c.user_zone.push_back(0);
        c.user_walk.push_back(u % 4);
        c.user_train.push_back(0);
        c.user_indoors.push_back(u % 2);
        c.user_x.push_back(30.0 * static_cast<double>(u));
        c.user_y.push_back(400.0);
        c.user_z.push_back(1.5);
    }
    c.class_report_s = {0.5};
    c.flow_pps = {50, 20};
    c.flow_on_s = c.flow_off_s = {1, 1};
    c.flow_arrival = {0, 2};
    c.flow_size = {2, 0};
    c.flow_bytes = {1000, 1250};
    c.flow_burst = {1, 10};
    c.flow_buffer = {50, 50};
    c.sleep_after_ms = 100;
    c.wake_ms = 20;
    return c;
}

}  // namespace

TEST_CASE("access: sent is received, lost and under way, through failures and sleep") {
    AccessNetwork network(small_network());
    const std::vector<std::int64_t> first = {0};
    network.run_until(kSecond);
    network.set_down(first, true);
    network.run_until(3 * kSecond + 123);
    network.set_down(first, false);
    network.run_until(5 * kSecond);
    std::int64_t sent = 0, done = 0;
    for (const AirCount& count : network.air().counts()) {
        sent += count.sent;
        done += count.received + count.lost;
    }
    CHECK(sent > 10'000);
    CHECK(sent == done + network.air().under_way());
    CHECK(network.cell_counts()[0].failures > 0);
    CHECK(network.take_user_reports(5 * kSecond).rows.size() > 200);
    CHECK_THROWS_AS(network.run_until(4 * kSecond), InvalidArgument);
}

TEST_CASE("access: a user outside the map is refused with its number") {
    AccessConfig config = small_network();
    config.user_x[8] = 1000.5;
    CHECK_THROWS_WITH_AS(AccessNetwork{config}, doctest::Contains("user 8: expected a place in the map"),
                         InvalidArgument);
}

TEST_CASE("air: a packet waits for the next slot and is received at the end of the one that carries its last bit") {
    OneStation one(1);
    one.air.arrive(0, {kSlot / 2, 0, 1, 1000});
    one.air.arrive(0, {kSlot / 2 + 1, 0, 1, 1001});
    one.play(5 * kSlot);
    const auto records = one.air.records();
    REQUIRE(records.size() == 2);
    CHECK(records[0].received == 2 * kSlot);
    CHECK(records[1].received == 4 * kSlot);  // 1 bit too many for one slot
    CHECK(one.air.used(0) == 10 + 10 + 1);
}

TEST_CASE("air: blocks are dealt evenly in turn, or all to who came first") {
    for (const bool in_order : {false, true}) {
        OneStation three(3, 1000, in_order);
        for (std::uint32_t f = 0; f < 3; ++f) three.air.arrive(0, {0, f, 1, 1000});
        three.play(4 * kSlot);
        const auto records = three.air.records();
        REQUIRE(records.size() == 3);
        CHECK(records[0].received == (in_order ? kSlot : 3 * kSlot));
        CHECK(records[2].received == 3 * kSlot);
        CHECK(three.air.used(0) == 30);
    }
}

TEST_CASE("air: what finds no room is lost, and its task with it") {
    OneStation one(1, 4);
    one.air.arrive(0, {0, 0, 3, 1000});
    one.air.arrive(0, {0, 0, 3, 1000});
    one.play(kSecond);
    const AirCount& count = one.air.counts()[0];
    CHECK(count.sent == 6);
    CHECK(count.lost == 2);
    CHECK(count.received == 4);
    CHECK(count.tasks_done == 1);
    CHECK(count.tasks_lost == 1);
    CHECK(one.air.under_way() == 0);
}

TEST_CASE("air: a held flow goes on when it is let, and takes its packets to another station") {
    const std::uint32_t prbs[] = {10, 10};
    const std::uint8_t laws[] = {0, 0};
    const std::uint32_t zero = 0, buffer = 100;
    Air air(prbs, laws, {&zero, 1}, {&buffer, 1}, 1);
    air.keep_records();
    air.set_rate(0, 100, 10);
    air.move(0, 0);
    air.arrive(0, {0, 0, 2, 1000});
    air.play(0, kSlot);
    air.hold(0);
    air.move(0, 1);
    air.arrive(1, {3 * kSlot, 0, 0, 0});
    air.play(1, 9 * kSlot);
    air.play(0, 9 * kSlot);
    REQUIRE(air.records().size() == 2);
    CHECK(air.records()[0].received == kSlot);
    CHECK(air.records()[1].received == 4 * kSlot);
}

TEST_CASE("air: a tagged task is named when it is over, with the blocks it took, by flow and as they were sent") {
    OneStation two(2, 4);
    two.air.arrive(0, {0, 1, 2, 1000, 7});  // 20 blocks, in turn with the other flow
    two.air.arrive(0, {0, 0, 1, 1000, 8});
    two.air.arrive(0, {0, 1, 4, 1000, 9});           // two find no room
    two.air.arrive(0, {kSlot / 2, 1, 1, 1000, 10});  // nor does this one
    two.air.arrive(0, {0, 0, 1, 1000});              // nobody's
    two.play(kSecond);
    const auto finished = two.air.finished();
    REQUIRE(finished.size() == 4);
    const std::vector<std::uint32_t> tags = {8, 10, 7, 9};
    std::uint32_t blocks = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(finished[i].tag == tags[i]);
        CHECK(finished[i].flow == (i == 0 ? 0 : 1));
        CHECK(finished[i].lost == (tags[i] > 8));
        CHECK(finished[i].blocks == (tags[i] == 10 ? 0 : tags[i] == 8 ? 10 : 20));
        blocks += finished[i].blocks;
    }
    CHECK(two.air.used(0) == blocks + 10);
    two.air.forget_finished();
    CHECK(two.air.finished().empty());
}

TEST_CASE("air: an arrival goes in among those still to come, after its equals") {
    OneStation two(2);
    two.air.arrive(0, {kSlot, 1, 1, 1000, 1});
    two.air.arrive(0, {5 * kSlot, 0, 1, 1000, 2});
    two.play(2 * kSlot);
    two.air.insert(0, {5 * kSlot, 0, 1, 1000, 3});
    two.air.insert(0, {3 * kSlot, 1, 1, 1000, 4});
    const auto arrivals = two.air.arrivals(0);
    REQUIRE(arrivals.size() == 4);
    for (const auto& [i, tag] : {std::pair{0, 1U}, {1, 4U}, {2, 2U}, {3, 3U}}) {
        CHECK(arrivals[static_cast<std::size_t>(i)].tag == tag);
    }
    two.air.play(0, kSecond);
    CHECK(two.air.finished().size() == 4);
    CHECK(two.air.under_way() == 0);
}

TEST_CASE("access: tasks are sent within an open step, and wake a cell that sleeps from their own time on") {
    AccessConfig config = small_network();
    std::fill(config.flow_pps.begin(), config.flow_pps.end(), 0.0);
    config.sleep_after_ms = 200;
    config.wake_ms = 30;
    AccessNetwork network(config);
    CHECK_THROWS_WITH_AS(network.send_up(0, 1, 1000, 5, 0), doctest::Contains("none is open"), InvalidArgument);
    CHECK(network.open());
    CHECK_FALSE(network.open());
    network.run_until(kSecond);
    network.open();
    REQUIRE(network.asleep(0));
    REQUIRE(network.asleep(1));
    const Time at = kSecond + 40 * kMillisecond;
    network.run_until(at - 1);
    CHECK_THROWS_AS(network.send_up(0, 1, 1000, 5, at - 2), InvalidArgument);
    CHECK_THROWS_AS(network.send_up(0, 1, 1000, 5, network.step_end()), InvalidArgument);
    CHECK_THROWS_AS(network.send_up(30, 1, 1000, 5, at), InvalidArgument);
    CHECK_THROWS_AS(network.send_up(0, 0, 1000, 5, at), InvalidArgument);
    network.send_up(0, 1, 1000, 5, at + 5 * kMillisecond);  // a still user
    network.send_up(4, 1, 1000, 6, at);                     // another: sooner, so the cell wakes sooner
    const auto cell = static_cast<std::size_t>(network.crowd().serving(0));
    CHECK_FALSE(network.asleep(cell));
    network.run_until(at + 30 * kMillisecond);
    CHECK(network.air().finished().empty());
    network.run_until(at + 31 * kMillisecond + 1);
    const bool same = network.crowd().serving(4) == network.crowd().serving(0);
    CHECK(network.air().finished().size() == (same ? 2 : 1));
    network.run_until(at + 40 * kMillisecond);
    CHECK(network.air().finished().size() == 2);
}

TEST_CASE("a cell draws power by the EARTH model") {
    const CellPower macro{6, 130, 4.7, 75, 120};
    CHECK(macro.awake(1.0) == doctest::Approx(1344));
    CHECK(macro.awake(0.0) == doctest::Approx(780));
    CHECK(macro.asleep() == doctest::Approx(450));
}

}  // namespace access_test
