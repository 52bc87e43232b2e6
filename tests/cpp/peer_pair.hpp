// What the tests of `Peer` share: attributes, units, and a child and its parent joined without a channel.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "sync/peer.hpp"

namespace tiertwin::sync {

inline constexpr Time kMs = kMillisecond;
inline constexpr AttributeId kLoad = 1, kQuota = 2, kPrice = 3;

inline AttributeRegistry make_registry() {
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

// Every attribute of every row has the same value.
inline UnitRecords unit_of(double value, std::uint32_t rows, Time now) {
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

// A child and its parent; a frame reaches the other side by `deliver`, or by `carry` with all that it brings about.
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
        declare_child();
        parent.add_in(up_copy);
        parent.add_out(down);
        parent.add_unit_in(kCut, {kQuota, kPrice}, 8);
        for (const std::uint16_t table : {kBudget, kQuery}) parent.add_unit_out(table, {kQuota, kPrice}, 400);
    }

    void declare_child() {
        child.add_out(up);
        child.add_in(down_copy);
        child.add_unit_out(kCut, {kQuota, kPrice}, 8);
        for (const std::uint16_t table : {kBudget, kQuery}) child.add_unit_in(table, {kQuota, kPrice}, 400);
    }

    // The child's next life: another stream, empty tables.
    void restart_child() {
        for (StateTable* table : {&up, &down_copy}) {
            StateTable empty = table->empty_like();
            table->swap(empty);
        }
        PeerConfig next = child.config();
        ++next.incarnation;
        next.stream_id += 100;
        child = Peer(registry, next);
        declare_child();
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

inline bool has(const std::vector<Change>& changes, Change change) {
    return std::find(changes.begin(), changes.end(), change) != changes.end();
}

}  // namespace tiertwin::sync
