#include <doctest/doctest.h>

#include <vector>

#include "plant/access_air.hpp"
#include "plant/access_energy.hpp"

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

}  // namespace

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

TEST_CASE("a cell draws power by the EARTH model") {
    const CellPower macro{6, 130, 4.7, 75, 120};
    CHECK(macro.awake(1.0) == doctest::Approx(1344));
    CHECK(macro.awake(0.0) == doctest::Approx(780));
    CHECK(macro.asleep() == doctest::Approx(450));
}
