#include "sync/peer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

constexpr Time kMs = kMillisecond;
constexpr AttributeId kLoad = 1, kQuota = 2, kPrice = 3;

AttributeRegistry make_registry() {
    AttributeRegistry registry;
    const std::vector<std::string> names{"load", "quota", "price"};
    for (AttributeId id = 1; id <= 3; ++id) {
        registry.add({.id = id,
                      .name = names[id - 1U],
                      .unit = "1",
                      .kind = "gauge",
                      .type = ValueType::f64,
                      .merge = "sum",
                      .low = -1e9,
                      .high = 1e9});
    }
    return registry;
}

// A child and its parent; frames go through `flying` unless a test takes them.
struct Pair {
    AttributeRegistry registry = make_registry();
    StateTable up{registry, kTelemetry, {kLoad}, 50}, up_copy{registry, kTelemetry, {kLoad}, 50};
    StateTable down{registry, kSummary, {kLoad}, 50}, down_copy{registry, kSummary, {kLoad}, 50};
    Peer child, parent;
    std::vector<Unit> at_child, at_parent;
    std::vector<Grant> grants;
    std::vector<Change> child_changes, parent_changes;
    Time now = 0;

    explicit Pair(std::size_t frame_bytes = kCutBytes, std::uint32_t credit = 64)
        : child(registry, config(true, 1, frame_bytes, credit)),
          parent(registry, config(false, 2, frame_bytes, credit)) {
        child.add_out(up);
        parent.add_in(up_copy);
        parent.add_out(down);
        child.add_in(down_copy);
        child.add_unit_out(kCut, {kQuota, kPrice}, 8);
        parent.add_unit_in(kCut, {kQuota, kPrice}, 8);
        for (const std::uint16_t table : {kBudget, kQuery}) {
            parent.add_unit_out(table, {kQuota, kPrice}, 400);
            child.add_unit_in(table, {kQuota, kPrice}, 400);
        }
    }

    static PeerConfig config(bool is_child, std::uint64_t stream, std::size_t frame_bytes, std::uint32_t credit) {
        PeerConfig c;
        c.is_child = is_child;
        c.stream_id = stream;
        c.frame_bytes = frame_bytes;
        c.credit_frames = credit;
        c.snapshot_every_ms = 200;
        c.virtual_clock = true;
        return c;
    }

    Received deliver(bool to_child, const Frame& frame) {
        Received r = (to_child ? child : parent).receive(frame, now);
        note(to_child, r);
        return r;
    }

    void note(bool is_child, const Received& r) {
        auto& units = is_child ? at_child : at_parent;
        auto& changes = is_child ? child_changes : parent_changes;
        units.insert(units.end(), r.units.begin(), r.units.end());
        changes.insert(changes.end(), r.changes.begin(), r.changes.end());
        if (r.grant) grants.push_back(*r.grant);
    }

    // Frames to one side, and everything that follows, without faults.
    void carry(bool to_child, const std::vector<Frame>& frames) {
        std::deque<std::pair<bool, Frame>> flying;
        for (const Frame& f : frames) flying.emplace_back(to_child, f);
        while (!flying.empty()) {
            const auto [side, frame] = flying.front();
            flying.pop_front();
            for (const Frame& f : deliver(side, frame).reply) flying.emplace_back(!side, f);
        }
    }

    void attach() { carry(false, child.connect(now)); }
    void tick() {
        now += 50 * kMs;
        for (const bool side : {true, false}) {
            const Received r = (side ? child : parent).tick(now);
            note(side, r);
            carry(!side, r.reply);
        }
    }
    void write(StateTable& table, std::uint32_t row, double value) {
        table.set(kLoad, std::vector<std::uint32_t>{row}, std::vector<double>{value}, now);
    }
};

UnitRecords unit_of(double value, std::uint32_t rows, Time now) {
    UnitRecords u;
    u.time = now;
    for (const AttributeId a : {kQuota, kPrice}) {
        for (std::uint32_t row = 0; row < rows; ++row) {
            u.attributes.push_back(a);
            u.rows.push_back(row);
            u.values.push_back(value);
        }
    }
    return u;
}

bool has(const std::vector<Change>& changes, Change change) {
    return std::find(changes.begin(), changes.end(), change) != changes.end();
}

Frame altered(Frame frame, std::size_t at, std::uint8_t value) {
    frame[at] = value;
    Header header;
    (void)decode_header(frame, header);  // whatever it says: only the checksum is to be right again
    restamp(frame, 1, false);
    return frame;
}

}  // namespace

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
