// Budgets between a pair: held, decided anew, put together from frames.
#include <doctest/doctest.h>

#include <deque>
#include <vector>

#include "peer_pair.hpp"

namespace peer_units_test {

using namespace tiertwin;
using namespace tiertwin::sync;

TEST_CASE("peer: a budget decided while the child is down is held and obeyed after it is up (T29)") {
    Pair p;
    p.attach();
    (void)p.child.lost(p.now);
    (void)p.parent.lost(p.now);
    CHECK(p.parent.send_unit(kBudget, unit_of(1.0, 4, p.now), LeaseTerms{7, 1, 3000, 10, 2}, p.now).empty());
    CHECK(p.parent.send_unit(kBudget, unit_of(2.0, 4, p.now), LeaseTerms{8, 1, 3000, 10, 2}, p.now).empty());
    p.now += 500 * kMs;
    p.attach();
    REQUIRE(p.at_child.size() == 1);  // the newest one only
    CHECK(p.at_child[0].columns[0].values[0] == 2.0);
    REQUIRE(p.grants.size() == 1);
    CHECK(p.grants[0].lease.validity_ms == 2500);  // the time it waited shortens it
    CHECK(p.grants[0].lease.age_ms == 510);
    CHECK(p.grants[0].until == p.now + 2500 * kMs);
    CHECK(term_of(p.grants[0].lease.epoch) == 2);
}

TEST_CASE("peer: an unacknowledged budget is decided anew under the next term, and no longer lived (R17, R18)") {
    Pair p;
    p.attach();
    (void)p.parent.send_unit(kBudget, unit_of(1.0, 4, p.now), LeaseTerms{7, 1, 3000, 0, 0}, p.now);  // lost
    (void)p.child.lost(p.now);
    p.now += 1000 * kMs;
    p.attach();
    REQUIRE(p.at_child.size() == 1);  // the one of the old term went again, too, and was refused
    CHECK(p.child.counters().at("stale_leases") == 1);
    CHECK(p.grants[0].until == 3000 * kMs);
    CHECK(p.grants[0].lease.validity_ms == 2000);
}

TEST_CASE("peer: a child that restarts gets the newest plan, whole, and nothing of the plans before it") {
    Pair p;
    p.attach();
    p.carry(true, p.parent.send_unit(kBudget, unit_of(1.0, 300, p.now), LeaseTerms{7, 1, 3000, 0, 0}, p.now));
    p.carry(true, p.parent.send_unit(kBudget, unit_of(2.0, 70, p.now + kMs), LeaseTerms{8, 1, 3000, 0, 5}, p.now));
    REQUIRE(p.at_child.size() == 2);
    p.tick();  // acknowledged
    CHECK(p.parent.outbox().log_frames() == 0);
    p.now += 1000 * kMs;
    PeerConfig second_life = Pair::config(true, 3, kCutBytes, 64);
    second_life.incarnation = 2;
    Peer child(p.registry, second_life);
    StateTable down_copy(p.registry, kSummary, {kLoad}, 50);
    StateTable up(p.registry, kTelemetry, {kLoad}, 50);
    child.add_out(up);
    child.add_in(down_copy);
    child.add_unit_out(kCut, {kQuota, kPrice}, 8);
    for (const std::uint16_t table : {kBudget, kQuery}) child.add_unit_in(table, {kQuota, kPrice}, 400);
    std::vector<Unit> units;
    std::deque<std::pair<bool, Frame>> flying;
    for (const Frame& f : child.connect(p.now)) flying.emplace_back(false, f);
    while (!flying.empty()) {
        const auto [to_child, frame] = flying.front();
        flying.pop_front();
        const Received r = (to_child ? child : p.parent).receive(frame, p.now);
        if (to_child) units.insert(units.end(), r.units.begin(), r.units.end());
        for (const Frame& f : r.reply) flying.emplace_back(!to_child, f);
    }
    REQUIRE(units.size() == 1);
    REQUIRE(units[0].lease);
    CHECK(units[0].lease->flags == 5);
    CHECK(units[0].time == p.at_child[1].time);
    REQUIRE(units[0].columns.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(units[0].columns[i].attribute == p.at_child[1].columns[i].attribute);
        CHECK(units[0].columns[i].rows == p.at_child[1].columns[i].rows);
        CHECK(units[0].columns[i].values == p.at_child[1].columns[i].values);
    }
}

TEST_CASE("peer: a plan of several frames takes effect with its last one, and a newer one discards it") {
    Pair p;
    p.attach();
    StateTable ledger(p.registry, kBudget, {kQuota, kPrice}, 400);
    const auto frames_of = [&](double value, std::uint64_t epoch, std::uint64_t number) {
        const UnitRecords u = unit_of(value, 400, p.now);
        for (const AttributeId a : {kQuota, kPrice}) {
            std::vector<std::uint32_t> rows(u.rows.begin(), u.rows.begin() + 400);
            ledger.set(a, rows, std::vector<double>(400, value), p.now);
        }
        const Lease lease{.epoch = make_epoch(1, 0) | epoch, .validity_ms = 1000, .echo = 1};
        return encode_unit(ledger, number, 1, lease, true, 4096);
    };
    const auto first = frames_of(1.0, 5, 1);
    REQUIRE(first.size() > 2);
    CHECK(p.deliver(true, first[0].frame).units.empty());
    CHECK(p.deliver(true, first[1].frame).units.empty());
    const auto second = frames_of(2.0, 6, first[2].first);
    for (std::size_t i = 0; i + 1 < second.size(); ++i) CHECK(p.deliver(true, second[i].frame).units.empty());
    const Received done = p.deliver(true, second.back().frame);
    REQUIRE(done.units.size() == 1);
    CHECK(done.units[0].columns.size() == 2);
    CHECK(done.units[0].columns[0].rows.size() == 400);
    CHECK(done.units[0].columns[0].values.front() == 2.0);
    CHECK(done.epoch == 6);
}

}  // namespace peer_units_test
