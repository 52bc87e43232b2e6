#include "plant/flows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "plant/chance.hpp"
#include "plant/link.hpp"
#include "plant/server.hpp"
#include "plant/station.hpp"

namespace flows_test {

using namespace tiertwin;
using namespace tiertwin::plant;

namespace {

constexpr double kForever = 1e9;

double s(Time ns) { return static_cast<double>(ns) * 1e-9; }

// (task, seconds) of every departure until it is empty.
std::vector<std::pair<TaskId, double>> drain(FlowStation& station) {
    std::vector<std::pair<TaskId, double>> left;
    while (station.next() != plant::kNever) {
        const Time due = station.next();
        left.emplace_back(station.depart(due), s(due));
    }
    return left;
}

void check(const std::vector<std::pair<TaskId, double>>& left, const std::vector<std::pair<TaskId, double>>& expected) {
    REQUIRE(left.size() == expected.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
        CHECK(left[i].first == expected[i].first);
        CHECK(left[i].second == doctest::Approx(expected[i].second).epsilon(1e-7));
    }
}

// Grants that make the weights those given, floors included.
std::vector<double> weighing(std::vector<double> weights, double capacity) {
    for (double& weight : weights) weight -= 1e-3 * capacity / static_cast<double>(weights.size());
    return weights;
}

}  // namespace

TEST_CASE("flows: first in first out inside a flow, by weight between them, what one leaves goes to the other") {
    FlowStation link(Discipline::kFifo, 1.0, 100.0, kForever, 2);
    link.grant(0, 0, weighing({25.0, 75.0}, 100.0));
    // Flow 0 at 25 Mb/s, flow 1 at 75: task 2 of 75 Mb leaves at 1 s, then flow 0 has it all: 25 of 50 Mb are left.
    REQUIRE(link.join(0, 0, 50.0, 0));
    REQUIRE(link.join(0, 1, 10.0, 0));
    REQUIRE(link.join(0, 2, 75.0, 1));
    check(drain(link), {{2, 1.0}, {0, 1.25}, {1, 1.35}});
    CHECK(link.busy_s(2 * kSecond) == doctest::Approx(1.35).epsilon(1e-8));
    CHECK(link.present() == 0);
}

TEST_CASE("flows: while there are cores for all, weights do not matter") {
    FlowStation server(Discipline::kSharing, 3.0, 2.0, kForever, 3);
    server.grant(0, 0, std::vector{0.0, 0.001, 6.0});
    for (const int task : {0, 1, 2}) REQUIRE(server.join(0, task, 2.0 + 2.0 * task, task));
    check(drain(server), {{0, 1.0}, {1, 2.0}, {2, 3.0}});
}

TEST_CASE("flows: a task has one core at most, and the rest goes to the others by weight") {
    // 4 cores of 1 GHz, weights 2 : 1 : 1. Flow 0 has one task and uses one core of its two; the other two flows of
    // four tasks each share three: 1.5 cores a flow, 0.375 a task.
    FlowStation server(Discipline::kSharing, 4.0, 1.0, kForever, 3);
    server.grant(0, 0, weighing({2.0, 1.0, 1.0}, 4.0));
    REQUIRE(server.join(0, 0, 1.0, 0));
    for (int task = 1; task <= 8; ++task) REQUIRE(server.join(0, task, 3.0, 1 + task % 2));
    CHECK(server.waiting() == 5.0);
    auto left = drain(server);
    CHECK(left.front().first == 0);
    CHECK(left.front().second == doctest::Approx(1.0));
    // Then eight tasks on four cores: 3 - 0.375 left at half a core each.
    for (std::size_t i = 1; i < left.size(); ++i) {
        CHECK(left[i].second == doctest::Approx(1.0 + 2.625 / 0.5).epsilon(1e-7));
    }
    CHECK(server.busy_s(10 * kSecond) == doctest::Approx(25.0).epsilon(1e-7));
}

TEST_CASE("flows: grants, speed and new flows count at once") {
    FlowStation station(Discipline::kFifo, 1.0, 100.0, kForever, 2);
    REQUIRE(station.join(0, 0, 100.0, 0));
    REQUIRE(station.join(0, 1, 100.0, 1));  // 50 each
    station.grant(kSecond / 2, 0, weighing({80.0, 20.0}, 100.0));
    station.set_speed(kSecond, 50.0);  // by then 25 + 40 and 25 + 10; now 40 and 10 Mb/s
    station.grow(kSecond + kSecond / 2, 4);
    station.grant(kSecond + kSecond / 2, 0, weighing({50.0, 50.0, 1.0, 1.0}, 100.0));  // 85 and 40; 25 each
    check(drain(station), {{0, 2.1}, {1, 2.1 + 45.0 / 50.0}});
}

TEST_CASE("flows: who floods a queue drops its own tasks, not the neighbour's") {
    FlowStation station(Discipline::kSharing, 1.0, 1.0, 1.0, 2);
    TaskId task = 0;
    while (station.join(0, task, 0.1, 0)) ++task;
    CHECK(task == 11);  // 1.0 s of work present is let in, more is not
    int others = 0;
    while (station.join(0, task + others, 0.1, 1)) ++others;
    CHECK(others == 6);  // its half of the buffer
    CHECK_FALSE(station.join(0, 99, 0.1, 0));
    station.set_up(false);
    CHECK(station.evict(kSecond).size() == 17);
    CHECK_FALSE(station.join(kSecond, 0, 0.1, 1));
    station.set_up(true);
    REQUIRE(station.join(kSecond, 0, 0.1, 1));
    CHECK(station.next() == doctest::Approx(1.1e9));
}

TEST_CASE("flows: one flow is the egalitarian station") {
    const Chance chance(11);
    FlowStation flows(Discipline::kSharing, 2.0, 1.5, 3.0, 1);
    Station plain(Discipline::kSharing, 2.0, 1.5, 3.0);
    Time now = 0;
    int refused = 0;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const PhiloxBlock words = chance.block(1, Purpose::kSize, i);
        now += static_cast<Time>(exponential(words[0], words[1]) * 0.3e9);
        while (flows.next() <= now || plain.next() <= now) {
            CHECK(std::abs(flows.next() - plain.next()) <= 1000);  // each rounds up its own way, 1 ns a task
            const TaskId left = flows.depart(flows.next());
            CHECK(left == plain.depart(plain.next()));
        }
        const double work = exponential(words[2], words[3]);
        const bool joined = flows.join(now, static_cast<TaskId>(i), work, 0);
        CHECK(joined == plain.join(now, static_cast<TaskId>(i), work));
        refused += joined ? 0 : 1;
    }
    CHECK(refused > 10);
    CHECK(flows.busy_s(now) == doctest::Approx(plain.busy_s(now)).epsilon(1e-6));
}

TEST_CASE("flows: however many come and go, no server idles and nobody is forgotten") {
    const Chance chance(5);
    constexpr int kFlows = 40;
    FlowStation station(Discipline::kSharing, 7.0, 1.0, kForever, kFlows);
    double work = 0;
    Time now = 0;
    std::vector<bool> here(4000, false);
    const auto leave = [&](Time until) {
        while (station.next() <= until) {
            const TaskId task = station.depart(station.next());
            CHECK(here[static_cast<std::size_t>(task)]);
            here[static_cast<std::size_t>(task)] = false;
        }
    };
    for (std::uint32_t i = 0; i < 4000; ++i) {
        const PhiloxBlock words = chance.block(2, Purpose::kSize, i);
        now += static_cast<Time>(words[0] % 250'000'000U);
        leave(now);
        if (i % 50 == 0) station.grant(now, words[1] % kFlows, std::vector{words[3] % 3 == 0 ? 0.0 : words[2] * 1e-9});
        const double size = exponential(words[2], words[3]);
        REQUIRE(station.join(now, static_cast<TaskId>(i), size, words[1] % kFlows));
        here[i] = true;
        work += size;
    }
    leave(plant::kNever - 1);
    CHECK(station.present() == 0);
    CHECK(std::count(here.begin(), here.end(), true) == 0);
    CHECK(station.busy_s(now + 10000 * kSecond) == doctest::Approx(work).epsilon(1e-6));
}

TEST_CASE("weighted link: a task arrives its propagation after it left, and background counts at once") {
    TaskPool pool;
    Link link(false, 100.0, 0.25, kForever);
    link.grow(pool, 0, 2);
    std::vector<TaskId> ids;
    for (int i = 0; i < 3; ++i) {
        ids.push_back(pool.take());
        pool[ids.back()].megabits = 50.0;
    }
    REQUIRE(link.join(pool, 0, ids[0], 0));
    CHECK(link.next(pool) == 750 * kMillisecond);
    REQUIRE(link.join(pool, 600 * kMillisecond, ids[1], 1));  // the first one is in propagation: all for the second
    CHECK(link.next(pool) == 750 * kMillisecond);
    CHECK(link.arrive(pool, 750 * kMillisecond) == ids[0]);
    CHECK(link.carried_mb() == 50.0);
    link.set_background(pool, 850 * kMillisecond, 50.0);  // 25 Mb are sent
    CHECK(link.next(pool) == 1600 * kMillisecond);
    REQUIRE(link.join(pool, 1500 * kMillisecond, ids[2], 0));
    CHECK(link.evict(pool, 1550 * kMillisecond).size() == 2);
    CHECK(link.next(pool) == plant::kNever);
}

TEST_CASE("server: every discipline behind one face") {
    for (const Discipline discipline : {Discipline::kSharing, Discipline::kFifo, Discipline::kWeighted}) {
        Server server(discipline, 1.0, 1.0, kForever, 2);
        server.grant(0, 0, weighing({0.1, 0.9}, 1.0));
        REQUIRE(server.join(0, 0, 1.0, 0));
        REQUIRE(server.join(0, 1, 0.9, 1));
        const Time first = server.next();
        const TaskId task = server.depart(first);
        CHECK(task == (discipline == Discipline::kFifo ? 0 : 1));
        CHECK(s(first) == doctest::Approx(discipline == Discipline::kSharing ? 1.8 : 1.0).epsilon(1e-8));
        CHECK(s(server.next()) == doctest::Approx(1.9).epsilon(1e-8));
        CHECK(server.done_gcycles(first) == doctest::Approx(s(first)));
        CHECK(server.evict(first).size() == 1);
        CHECK(server.next() == plant::kNever);
    }
}

}  // namespace flows_test
