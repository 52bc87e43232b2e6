// A child and its parent that keep logs: what may leave, what is acknowledged, and how a next life goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "log/replay.hpp"
#include "peer_pair.hpp"

namespace peer_durable_test {

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

constexpr std::uint64_t kStream = 11;

PeerConfig durable(bool is_child, std::uint64_t stream, std::uint32_t incarnation = 1) {
    PeerConfig c = Pair::config(is_child, stream, kCutBytes, 64);
    c.durable = true;
    c.incarnation = incarnation;
    return c;
}

// A side that may die: its tables and its peer are one.
struct Side {
    AttributeRegistry registry = make_registry();
    StateTable samples{registry, kTelemetry, {kLoad}, 50};
    Peer peer;

    explicit Side(const PeerConfig& config) : peer(registry, config) {
        if (config.is_child) {
            peer.add_out(samples);
            peer.add_unit_out(kCut, {kQuota, kPrice}, 8);
            peer.add_unit_in(kQuery, {kQuota, kPrice}, 8);
        } else {
            peer.add_in(samples);
            peer.add_unit_in(kCut, {kQuota, kPrice}, 8);
            peer.add_unit_out(kQuery, {kQuota, kPrice}, 8);
        }
    }
    void write(std::uint32_t row, double value) {
        samples.set(kLoad, std::vector<std::uint32_t>{row}, std::vector<double>{value}, 1000);
    }
};

bool is(const Frame& frame, Kind kind) { return frame[3] == static_cast<std::uint8_t>(kind); }

// Both sides and, in place of their logs, the frames that went in; what is on disk is said by hand.
struct Logs {
    std::optional<Side> child{durable(true, kStream)}, parent{durable(false, 2)};
    std::vector<Frame> own;       // of the child's log
    std::vector<Frame> of_child;  // of the parent's log
    std::vector<Ack> acks;
    Time now = 0;

    void to_parent(const std::vector<Frame>& frames) {
        for (const Frame& f : frames) {
            const Received r = parent->peer.receive(f, now);
            if (r.accepted && (is(f, Kind::delta) || is(f, Kind::snapshot))) of_child.push_back(f);
            to_child(r.reply);
        }
    }
    void to_child(const std::vector<Frame>& frames) {
        for (const Frame& f : frames) {
            if (is(f, Kind::ack)) {
                Ack ack;
                REQUIRE(decode(body_of(f), ack).ok());
                acks.push_back(ack);
            }
            const Received r = child->peer.receive(f, now);
            note_own();
            to_parent(r.reply);
        }
    }
    void note_own() {
        for (Frame& f : child->peer.take_unlogged()) own.push_back(std::move(f));
    }
    void attach() { to_parent(child->peer.connect(now)); }
    void publish() {
        to_parent(child->peer.publish(now));
        note_own();
    }
    void child_synced() { to_parent(child->peer.released(child->peer.outbox().last(), now)); }
    void parent_synced() { to_child(parent->peer.logged(kStream, parent->peer.session().cursor, 0, now)); }
    void tick() {
        now += 50 * kMs;
        to_parent(child->peer.tick(now).reply);
        note_own();
        to_child(parent->peer.tick(now).reply);
    }
    void settle() {
        for (int i = 0; i < 30; ++i) {
            publish();
            child_synced();
            parent_synced();
            tick();
        }
    }
};

}  // namespace

TEST_CASE("durable peer: nothing leaves before it is on disk (R11)") {
    Logs l;
    l.attach();
    l.settle();
    l.child->write(3, 1.5);
    CHECK(l.child->peer.publish(l.now).empty());
    std::vector<Frame> logged = l.child->peer.take_unlogged();
    REQUIRE(logged.size() == 1);
    l.tick();
    CHECK(l.parent->samples.value(kLoad, 3) != 1.5);
    const std::vector<Frame> left = l.child->peer.released(l.child->peer.outbox().last(), l.now);
    REQUIRE(left.size() == 1);
    CHECK(left == logged);  // the bytes of the log are the bytes of the wire
    l.to_parent(left);
    CHECK(l.parent->samples.value(kLoad, 3) == 1.5);
}

TEST_CASE("durable peer: frames stay until the parent has them on disk, and cost no credit meanwhile (R10, R12)") {
    Logs l;
    l.attach();
    l.settle();
    const std::size_t before = l.child->peer.outbox().log_frames();
    CHECK(before == 0);
    for (std::uint32_t i = 0; i < 100; ++i) {
        l.child->write(i % 50, i);
        l.publish();
        l.child_synced();
        l.tick();
    }
    CHECK(l.child->peer.session().acked == l.child->peer.outbox().last());
    CHECK(l.child->samples.dirty_count() == 0);
    CHECK(l.child->peer.outbox().log_frames() == 100);  // more than the credit of 64
    CHECK(l.child->peer.durable_out() < l.child->peer.session().acked);
    l.parent_synced();
    CHECK(l.child->peer.outbox().log_frames() == 0);
    CHECK(l.child->peer.durable_out() == l.child->peer.outbox().last());
    CHECK(l.child->peer.settled() == l.child->peer.outbox().last());
}

TEST_CASE("durable peer: an ACK never says more than the log; another stream's news says nothing") {
    Logs l;
    l.attach();
    l.settle();
    l.child->write(1, 1.0);
    l.publish();
    l.child_synced();
    l.acks.clear();
    l.tick();
    REQUIRE_FALSE(l.acks.empty());
    CHECK(l.acks.back().durable == l.acks.back().received - 1);
    CHECK(l.parent->peer.logged(kStream + 1, 1000, 0, l.now).empty());
    l.to_child(l.parent->peer.logged(kStream, 1000, 1000, l.now));
    CHECK(l.acks.back().durable == l.acks.back().received);  // never beyond what was received
    CHECK(l.acks.back().applied_at_root == l.acks.back().received);
    CHECK(l.child->peer.at_root_out() == l.acks.back().received);
}

TEST_CASE("durable peer: levels beyond what was received are a bad frame") {
    Logs l;
    l.attach();
    l.settle();
    const Ack lie{.received = 0, .durable = 1};
    const Received r = l.child->peer.receive(encode(lie, 1), l.now);
    CHECK_FALSE(r.accepted);
    CHECK(r.verdict.reason == Reason::body_value);
}

TEST_CASE("durable peer: a lost acknowledgement is said again with the next heartbeat") {
    Logs l;
    l.attach();
    l.settle();
    l.child->write(1, 1.0);
    l.publish();
    l.child_synced();
    (void)l.parent->peer.logged(kStream, l.parent->peer.session().cursor, 0, l.now);  // lost
    for (int i = 0; i < 10; ++i) l.tick();
    CHECK(l.child->peer.durable_out() == l.child->peer.outbox().last());
}

TEST_CASE("durable peer: a parent's next life goes on from its log; what it had not synced comes again") {
    Logs l;
    l.attach();
    l.settle();
    l.child->write(1, 1.0);
    l.publish();
    l.child_synced();
    l.parent_synced();
    const std::uint64_t synced = l.parent->peer.session().cursor;
    const std::vector<Frame> kept = l.of_child;
    for (std::uint32_t row = 2; row < 6; ++row) {
        l.child->write(row, row);
        l.publish();
        l.child_synced();
        l.tick();
    }
    CHECK(l.child->peer.session().acked == synced + 4);  // received, not durable
    l.parent.emplace(durable(false, 20, 2));
    log::Replay replay(l.parent->peer.in_tables());
    for (const Frame& f : kept) REQUIRE(replay.take(f).ok());
    REQUIRE(replay.cursor() == synced);
    (void)l.parent->peer.resume_in(kStream, synced);
    (void)l.child->peer.lost(l.now);
    l.attach();
    l.settle();
    CHECK(l.parent->samples.equal(l.child->samples));
    CHECK(l.parent->peer.counters().at("swaps") == 0);
    CHECK(l.child->peer.counters().at("alarms.digest") == 0);
    CHECK(l.parent->peer.counters().at("alarms.digest") == 0);
    CHECK(l.child->peer.counters().at("snapshots") == 1);  // the first of all
    CHECK(l.parent->peer.session().cursor == synced + 4);
}

TEST_CASE("durable peer: a child's next life goes on from its log, units and all") {
    Logs l;
    l.attach();
    l.settle();
    l.child->write(1, 1.0);
    l.publish();
    l.to_parent(l.child->peer.send_unit(kCut, unit_of(4.0, 2, l.now), std::nullopt, l.now));
    l.note_own();
    l.settle();
    l.child->write(2, 2.0);
    l.publish();  // in the log, and never sent
    const std::uint64_t last = l.child->peer.outbox().last();
    l.child.emplace(durable(true, kStream, 2));
    log::Replay replay(l.child->peer.out_tables());
    for (const Frame& f : l.own) REQUIRE(replay.take(f).ok());
    REQUIRE(replay.cursor() == last);
    l.child->peer.resume_out(last, {l.own.back()});
    CHECK(l.child->samples.dirty_count() == 0);
    (void)l.parent->peer.lost(l.now);
    l.attach();
    l.settle();
    CHECK(l.parent->samples.equal(l.child->samples));
    CHECK(l.parent->peer.counters().at("swaps") == 1);  // of the first life
    CHECK(l.parent->peer.counters().at("alarms.digest") == 0);
    CHECK(l.parent->peer.session().cursor == last);
    CHECK(l.child->peer.counters().at("snapshots") == 0);
}

TEST_CASE("durable peer: a snapshot waits for the disk as well, and all it holds has its frame in the log") {
    Logs l;
    for (std::uint32_t row = 0; row < 9; ++row) l.child->write(row, row + 1.0);
    l.attach();
    l.note_own();
    CHECK(l.child->peer.outbox().last() == 9);
    REQUIRE(l.own.size() == 1);
    CHECK(l.parent->peer.session().state == State::resyncing);
    l.tick();
    CHECK(l.parent->peer.session().cursor == 0);
    l.child_synced();
    CHECK(l.parent->peer.session().cursor == 9);
    CHECK(l.parent->samples.equal(l.child->samples));
}

TEST_CASE("durable peer: asked again for a snapshot that waits for the disk, it sends that one, once and at once") {
    Logs l;
    for (std::uint32_t row = 0; row < 9; ++row) l.child->write(row, row + 1.0);
    l.attach();
    l.note_own();
    for (int i = 0; i < 20; ++i) l.tick();  // a second: the parent asks again
    CHECK(l.parent->peer.counters().at("out.RESYNC") > 0);
    l.child_synced();
    CHECK(l.parent->peer.session().cursor == 9);
    for (int i = 0; i < 5; ++i) l.settle();  // longer than a held wish would wait
    CHECK(l.child->peer.counters().at("snapshots") == 1);
    CHECK(l.parent->samples.equal(l.child->samples));
}

TEST_CASE("durable peer: who goes on without the snapshot it wanted is not sent it later") {
    Logs l;
    l.attach();
    l.settle();
    const std::uint64_t sent = l.child->peer.counters().at("snapshots");
    l.child->write(1, 1.0);
    l.publish();
    l.child_synced();
    const std::uint64_t last = l.child->peer.outbox().last();
    CHECK(l.parent->peer.session().cursor == last);
    const Frame wish = encode(Resync{.cursor = last - 1, .reason = 3}, l.parent->peer.config().incarnation);
    CHECK(l.child->peer.receive(wish, l.now).accepted);  // said before that record came
    CHECK(l.child->peer.session().snapshot_out);
    l.tick();  // its acknowledgement
    CHECK_FALSE(l.child->peer.session().snapshot_out);
    for (int i = 0; i < 5; ++i) l.settle();
    CHECK(l.child->peer.counters().at("snapshots") == sent);
}

TEST_CASE("durable peer: without a session what is pending can be numbered; the window is bounded") {
    Logs l;
    l.attach();
    l.settle();
    CHECK_THROWS_AS(l.child->peer.number_pending(), InvalidArgument);
    (void)l.child->peer.lost(l.now);
    for (std::uint32_t i = 0; i < 1500; ++i) {
        l.child->write(i % 50, i);
        l.child->peer.number_pending();
    }
    CHECK(l.child->peer.outbox().log_frames() == 1024);
    CHECK(l.child->samples.dirty_count() == 0);
    l.note_own();
    l.child_synced();
    l.attach();
    l.settle();  // too old to be sent record by record
    CHECK(l.parent->samples.equal(l.child->samples));
    CHECK(l.parent->peer.counters().at("swaps") == 2);
}

TEST_CASE("durable peer: beside a parent without a log it truncates by what was received (R10)") {
    Logs l;
    PeerConfig plain = durable(false, 2);
    plain.durable = false;
    l.parent.emplace(plain);
    l.attach();
    for (int i = 0; i < 10; ++i) {
        l.child->write(1, i);
        l.publish();
        l.child_synced();
        l.tick();
    }
    CHECK(l.child->peer.outbox().log_frames() == 0);
    CHECK(l.child->peer.durable_out() == 0);
    CHECK(l.child->peer.settled() == l.child->peer.outbox().last());
}

TEST_CASE("durable peer: a log that lost numbers which the parent has is found out at once (R8)") {
    Logs l;
    l.attach();
    for (int i = 0; i < 5; ++i) {
        l.child->write(1, i);
        l.publish();
        l.child_synced();
        l.tick();
    }
    CHECK_FALSE(l.child->peer.outdone());
    const std::vector<Frame> kept(l.own.begin(), l.own.end() - 1);
    l.child.emplace(durable(true, kStream, 2));
    log::Replay replay(l.child->peer.out_tables());
    for (const Frame& f : kept) REQUIRE(replay.take(f).ok());
    l.child->peer.resume_out(replay.cursor(), kept);
    (void)l.parent->peer.lost(l.now);
    SUBCASE("and nothing was numbered since") {}
    SUBCASE("and as much was numbered since, which looks as if it were what the parent has") {
        l.child->write(2, 7.0);
        l.child->peer.number_pending();
        CHECK(l.child->peer.outbox().last() == l.parent->peer.session().cursor);
    }
    l.attach();
    CHECK(l.child->peer.outdone());
}

TEST_CASE("durable peer: misuse is refused in words") {
    Logs l;
    CHECK_THROWS_AS((void)l.parent->peer.released(1, 0), InvalidArgument);
    CHECK_THROWS_AS((void)l.child->peer.logged(1, 1, 1, 0), InvalidArgument);
    CHECK_THROWS_AS((void)l.child->peer.resume_in(0, 1), InvalidArgument);
    CHECK_THROWS_AS(l.child->peer.resume_out(5, {Frame(40)}), InvalidArgument);
    l.attach();
    CHECK_THROWS_AS((void)l.parent->peer.resume_in(5, 1), InvalidArgument);
}

}  // namespace peer_durable_test
