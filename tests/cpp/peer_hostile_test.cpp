// Frames that an honest peer would not send: refused, told, banned.
#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <random>
#include <utility>

#include "base/error.hpp"
#include "peer_pair.hpp"

namespace peer_hostile_test {

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

Frame altered(Frame frame, std::size_t at, std::uint8_t value) {
    frame[at] = value;
    Header header;
    (void)decode_header(frame, header);  // whatever it says: only the checksum is to be right again
    restamp(frame, 1, false);
    return frame;
}

}  // namespace

TEST_CASE("peer: another schema is told once, then the session ends") {
    Pair p;
    StateTable other(p.registry, kTelemetry, {kLoad, kQuota}, 50);
    PeerConfig config = Pair::config(true, 9, kCutBytes, 64);
    Peer child(p.registry, config);
    child.add_out(other);
    p.write(other, 1, 1.0);
    const auto welcome = p.parent.receive(child.connect(0)[0], 0).reply;
    bool refused = false;
    for (const Frame& f : welcome) {
        for (const Frame& up : child.receive(f, 0).reply) {
            if (Header h; decode_header(up, h).ok() && h.kind == Kind::snapshot) {
                const Received r = p.parent.receive(up, 0);
                CHECK(r.verdict.reason == Reason::fingerprint);
                const Received again = p.parent.receive(up, 0);
                CHECK(has(again.changes, Change::lost));
                refused = true;
            } else {
                (void)p.parent.receive(up, 0);
            }
        }
    }
    CHECK(refused);
    CHECK(p.parent.session().state == State::lost);
}

TEST_CASE("peer: three bad frames ban, and nothing of them is applied (R41)") {
    Pair p;
    p.attach();
    p.write(p.up, 1, 1.0);
    const Frame good = p.child.publish(p.now)[0];
    Frame torn = good;
    torn.pop_back();
    for (int i = 0; i < 3; ++i) CHECK_FALSE(p.deliver(false, torn).accepted);
    CHECK(p.parent.session().state == State::banned);
    CHECK_FALSE(p.deliver(false, good).accepted);
    CHECK(p.up_copy.number(kLoad, 1) == 0);
    p.now += 10 * kSecond;
    p.note(true, p.child.tick(p.now));
    CHECK(p.parent.receive(p.child.connect(p.now)[0], p.now).reply.size() == 1);  // BYE(unknown): say HELLO
    p.attach();
    CHECK(p.up.equal(p.up_copy));
}

TEST_CASE("peer: a child that has banned its parent says HELLO by itself when the ban is over") {
    Pair p;
    p.attach();
    Frame torn = p.parent.tick(p.now + kSecond).reply.at(0);
    torn.pop_back();
    for (int i = 0; i < 3; ++i) CHECK_FALSE(p.deliver(true, torn).accepted);
    CHECK(p.child.session().state == State::banned);
    CHECK(p.child.connect(p.now).empty());
    CHECK(p.child.next_tick() == p.now + kFirstBan);
    (void)p.parent.lost(p.now);
    p.now += kFirstBan;
    p.carry(false, p.child.tick(p.now).reply);
    CHECK(p.child.session().state == State::live);
    CHECK(p.parent.session().state == State::live);
}

TEST_CASE("peer: roles, strangers and clocks") {
    Pair p;
    CHECK_THROWS_AS((void)p.parent.connect(0), InvalidArgument);
    const Frame hello = p.child.connect(0)[0];
    CHECK(p.child.receive(hello, 0).verdict.reason == Reason::role);
    CHECK(p.parent.receive(encode(Ack{}, 1), 0).verdict.reason == Reason::session);
    p.attach();
    CHECK(p.deliver(false, encode(Barrier{4}, 1)).epoch == 4);
    CHECK(p.deliver(false, encode(Ack{.received = 99}, 1)).verdict.reason == Reason::body_value);
    CHECK(p.deliver(false, encode(Heartbeat{.counter = 9, .echo = 4'000'000}, 1)).verdict.reason == Reason::body_value);
    CHECK_THROWS_AS(Peer(p.registry, PeerConfig{.stream_id = 0}), InvalidArgument);
    CHECK_THROWS_AS((void)p.child.send_unit(kQuery, unit_of(1.0, 1, 0), std::nullopt, 0), NotFound);
    CHECK_THROWS_AS((void)p.parent.send_unit(kBudget, unit_of(1.0, 1, 0), std::nullopt, 0), InvalidArgument);
    CHECK_THROWS_AS((void)p.parent.send_unit(kQuery, unit_of(1e300, 1, 0), std::nullopt, 0), InvalidArgument);
}

TEST_CASE("peer: a term that leaves no higher one is refused, not served") {
    Pair p;
    const Hello last{.stream_id = 1, .epoch = make_epoch(1U << 31U, 0)};
    const Received r = p.deliver(false, encode(last, 1));
    CHECK(r.verdict.reason == Reason::term);
    CHECK(p.parent.session().state == State::fresh);
}

TEST_CASE("peer: any one byte of any frame changed is refused or well-formed; nothing crashes") {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        Pair p(256, 8);
        for (std::uint32_t row = 0; row < 50; ++row) p.write(p.up, row, row);
        std::deque<std::pair<bool, Frame>> flying;
        for (const Frame& f : p.child.connect(0)) flying.emplace_back(false, f);
        for (int n = 0; n < 60 && !flying.empty(); ++n) {
            auto [side, frame] = flying.front();
            flying.pop_front();
            if (random() % 4 == 0) {
                frame = altered(std::move(frame), random() % frame.size(), static_cast<std::uint8_t>(random()));
            }
            for (const Frame& f : p.deliver(side, frame).reply) flying.emplace_back(!side, f);
            for (const Frame& f : p.parent.send_unit(kQuery, unit_of(n, 3, p.now), std::nullopt, p.now)) {
                flying.emplace_back(true, f);
            }
            p.now += kMs;
        }
    }
}

TEST_CASE("peer: a snapshot of another digest brings no record (R14)") {
    Pair p;
    p.write(p.up, 1, 1.0);
    std::deque<Frame> down;
    for (const Frame& f : p.parent.receive(p.child.connect(0)[0], 0).reply) down.push_back(f);
    int snapshots = 0;
    while (!down.empty()) {
        const Frame next = down.front();
        down.pop_front();
        for (const Frame& up : p.child.receive(next, 0).reply) {
            Header h;
            REQUIRE(decode_header(up, h).ok());
            if (h.kind != Kind::snapshot) {
                for (const Frame& f : p.parent.receive(up, 0).reply) down.push_back(f);
                continue;
            }
            ++snapshots;
            const Received r = p.parent.receive(altered(up, kHeaderBytes + 8, up[kHeaderBytes + 8] ^ 1U), 0);
            CHECK(r.verdict.reason == Reason::digest);
            CHECK(r.count == 0);
        }
    }
    CHECK(snapshots > 0);
    CHECK(std::isnan(p.up_copy.value(kLoad, 1)));
}

}  // namespace peer_hostile_test
