// Sessions of a pair: how they begin, go on, fall silent and catch up.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "peer_pair.hpp"

namespace peer_test {

using namespace tiertwin;
using namespace tiertwin::sync;

TEST_CASE("peer: HELLO, WELCOME, a snapshot each way, then deltas and acknowledgements") {
    Pair p;
    p.write(p.up, 3, 1.5);
    p.write(p.down, 4, 2.5);
    p.attach();
    CHECK(p.child.session().state == State::live);
    CHECK(p.parent.session().state == State::live);
    CHECK(p.up.equal(p.up_copy));
    CHECK(p.down.equal(p.down_copy));
    CHECK(has(p.child_changes, Change::swapped));
    CHECK(p.child.term() == 1);
    p.write(p.up, 5, 7.0);
    p.carry(false, p.child.publish(p.now));
    CHECK(p.up.equal(p.up_copy));
    CHECK(p.child.session().acked == 1);
    p.tick();
    CHECK(p.child.session().acked == 2);  // one ACK a batch
    CHECK(p.child.out_digest() == p.parent.in_digest());
}

TEST_CASE("peer: a reconnect resumes from memory, without a snapshot") {
    Pair p;
    p.attach();
    p.write(p.up, 1, 1.0);
    (void)p.child.publish(p.now);  // lost
    (void)p.child.lost(p.now);
    p.write(p.up, 2, 2.0);
    p.attach();
    p.tick();
    p.carry(false, p.child.publish(p.now));
    CHECK(p.up.equal(p.up_copy));
    CHECK(p.parent.counters().at("swaps") == 1);
    CHECK(p.child.counters().at("again_frames") == 1);
    CHECK(p.child.term() == 2);
}

TEST_CASE("peer: what goes again is the same but for the retransmission flag and the checksum (R8)") {
    Pair p;
    p.attach();
    p.write(p.up, 1, 1.0);
    const Frame first = p.child.publish(p.now)[0];
    p.now += kFirstWait;
    for (Frame again : p.child.tick(p.now).reply) {
        if (again[3] != static_cast<std::uint8_t>(Kind::delta)) continue;
        CHECK(again[7] == 1);  // bit 8 of the flags
        CHECK(again != first);
        again[7] = 0;
        std::copy(first.begin() + 16, first.begin() + 20, again.begin() + 16);
        CHECK(again == first);
        return;
    }
    FAIL("the record was not sent again");
}

TEST_CASE("peer: credit bounds what is numbered; samples coalesce behind it (R13)") {
    Pair p(256, 2);
    p.attach();
    for (std::uint32_t row = 0; row < 50; ++row) p.write(p.up, row, 1.0);
    CHECK(p.child.publish(p.now).size() == 2);
    CHECK(p.child.outbox().log_frames() == 2);
    CHECK(p.up.dirty_count() > 0);
    for (std::uint32_t row = 0; row < 50; ++row) p.write(p.up, row, 2.0);
    CHECK(p.child.publish(p.now).empty());
    for (int i = 0; i < 40 && !p.up.equal(p.up_copy); ++i) {
        p.tick();  // the two lost frames go again after the retry timer
        p.carry(false, p.child.publish(p.now));
    }
    CHECK(p.up.equal(p.up_copy));
}

TEST_CASE("peer: silence makes a peer suspect after 1 s and lost after 2 s; a heartbeat clears it (R20)") {
    Pair p;
    p.attach();
    p.now += 1000 * kMs;
    (void)p.child.tick(p.now - 1);
    CHECK_FALSE(p.child.session().suspect);
    p.note(true, p.child.tick(p.now));
    CHECK(has(p.child_changes, Change::suspect));
    p.carry(true, p.parent.tick(p.now - 1).reply);
    CHECK(has(p.child_changes, Change::well));
    p.now += 2000 * kMs;
    p.note(true, p.child.tick(p.now));
    CHECK(has(p.child_changes, Change::lost));
    CHECK_FALSE(p.child.connect(p.now).empty());
}

TEST_CASE("peer: digests that differ at equal cursors raise an alarm and bring a snapshot (R14)") {
    Pair p;
    p.attach();
    p.write(p.up, 1, 1.0);
    p.carry(false, p.child.publish(p.now));
    p.tick();
    p.write(p.up_copy, 9, 4.0);  // corruption
    (void)p.up_copy.settle(2);
    for (int i = 0; i < 20; ++i) p.tick();
    CHECK(has(p.parent_changes, Change::alarm));
    CHECK(p.parent.counters().at("alarms.digest") == 1);
    CHECK(p.up.equal(p.up_copy));
    CHECK(p.parent.session().state == State::live);
}

TEST_CASE("peer: an acknowledgement given to an earlier life is found out, and what it stood for is sent again") {
    Pair p;
    p.write(p.up, 3, 1.0);
    p.attach();
    p.write(p.up, 5, 2.0);
    p.carry(false, p.child.publish(p.now));
    p.now += 50 * kMs;
    const std::vector<Frame> late = p.parent.tick(p.now).reply;  // acknowledges 2; on its way while the child restarts
    p.restart_child();
    p.write(p.up, 3, 3.0);
    p.write(p.up, 5, 4.0);

    SUBCASE("of a snapshot that was lost: the parent waits for it, the child believes that it has it") {
        const Received answer = p.deliver(false, p.child.connect(p.now)[0]);
        for (const Frame& f : answer.reply) (void)p.deliver(true, f);  // what the child says to this is lost
        for (const Frame& f : late) (void)p.deliver(true, f);
        CHECK(p.parent.session().state == State::resyncing);
    }
    SUBCASE("of the last record, which was lost: nobody waits for anything") {
        p.attach();
        p.write(p.up, 7, 5.0);
        (void)p.child.publish(p.now);  // record 3, lost
        const Ack ack{.received = 3, .credit_frames = 64, .credit_bytes = 4U << 20U};
        (void)p.deliver(true, encode(ack, 1));
        CHECK(p.parent.session().state == State::live);
    }
    CHECK(p.child.session().acked == p.child.outbox().last());
    CHECK_FALSE(p.child.session().snapshot_out);
    const std::uint64_t snapshots = p.child.counters().at("snapshots");
    for (int i = 0; i < 20; ++i) p.tick();
    CHECK(p.child.counters().at("snapshots") == snapshots + 1);
    CHECK(p.up.equal(p.up_copy));
    CHECK(p.parent.session().state == State::live);
    CHECK(p.child.session().acked == p.child.outbox().last());
}

TEST_CASE("peer: a heartbeat that an acknowledgement overtook brings no snapshot") {
    Pair p;
    p.attach();
    p.now += 250 * kMs;
    const std::vector<Frame> early = p.parent.tick(p.now).reply;  // names the cursor before the record
    p.write(p.up, 1, 1.0);
    p.carry(false, p.child.publish(p.now));
    p.now += 50 * kMs;
    p.carry(true, p.parent.tick(p.now).reply);
    CHECK(p.child.session().acked == 1);
    p.carry(true, early);
    for (int i = 0; i < 20; ++i) p.tick();
    CHECK(p.child.counters().at("snapshots") == 1);
    CHECK(p.child.session().acked == 1);
}

TEST_CASE("peer: over a channel that loses, repeats and delays, tables become equal once it heals") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        std::mt19937 random(seed);
        Pair p(seed % 3 == 0 ? 256 : 4096, 1U + seed % 9U);
        std::multimap<Time, std::pair<bool, Frame>> flying;
        bool faulty = true;
        const auto send = [&](bool to_child, const std::vector<Frame>& frames) {
            for (const Frame& f : frames) {
                if (faulty && random() % 5 == 0) continue;
                for (unsigned copies = faulty && random() % 5 == 0 ? 2 : 1; copies > 0; --copies) {
                    flying.emplace(p.now + (faulty ? static_cast<Time>(random() % 120) : 1) * kMs,
                                   std::pair{to_child, f});
                }
            }
        };
        bool down = true;
        double said = 0.0;
        for (int step = 0; step < 400; ++step) {
            p.now += 20 * kMs;
            faulty = step < 80;
            if (down) send(false, p.child.connect(p.now));
            down = false;
            while (!flying.empty() && flying.begin()->first <= p.now) {
                const auto [side, frame] = flying.begin()->second;
                flying.erase(flying.begin());
                const Received r = p.deliver(side, frame);
                send(!side, r.reply);
                down = down || (side && has(r.changes, Change::lost));
            }
            for (const bool side : {true, false}) {
                Peer& peer = side ? p.child : p.parent;
                const Received r = peer.tick(p.now);
                p.note(side, r);
                send(!side, r.reply);
                down = down || (side && has(r.changes, Change::lost));
                if (faulty)
                    p.write(side ? p.up : p.down, static_cast<std::uint32_t>(random() % 50U),
                            static_cast<double>(step));
                if (faulty && !side && step % 7 == 0) {
                    said = step;
                    send(true, peer.send_unit(kBudget, unit_of(said, 3, p.now),
                                              LeaseTerms{static_cast<std::uint32_t>(step), 0, 60'000, 0, 0}, p.now));
                }
                send(!side, peer.publish(p.now));
            }
        }
        CHECK(p.up.equal(p.up_copy));
        CHECK(p.down.equal(p.down_copy));
        CHECK(p.child.out_digest() == p.parent.in_digest());
        CHECK(p.parent.out_digest() == p.child.in_digest());
        REQUIRE_FALSE(p.at_child.empty());
        CHECK(p.at_child.back().columns[0].values[0] == said);
    }
}

}  // namespace peer_test
