// What the tests of the log share: frames, a folder of segments in memory, and a log whose every record is known.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "log/writer.hpp"
#include "sync/kinds.hpp"

namespace tiertwin::log {

inline constexpr std::uint64_t kOwnStream = 0x1122334455667788, kPeerStream = 0x99;
inline const std::string kNode = "edge-a";  // NOLINT: of tests

// A DELTA of `count` records, `bytes` long in all. The log reads nothing of its body.
inline sync::Frame delta(std::uint64_t number, std::uint32_t count = 1, std::size_t bytes = 72,
                         std::uint16_t table = sync::kTelemetry) {
    sync::Frame frame(bytes);
    for (std::size_t i = sync::kHeaderBytes; i < bytes; ++i) frame[i] = static_cast<std::uint8_t>(number + 7 * i);
    sync::seal(frame, {.kind = sync::Kind::delta,
                       .table = table,
                       .count = count,
                       .incarnation = 1,
                       .number = number,
                       .fingerprint = 7});
    return frame;
}

inline sync::Frame snapshot_frame(std::uint64_t as_of, bool last = true, std::uint32_t count = 1) {
    sync::Frame frame(sync::kHeaderBytes + sync::kSnapshotPrefixBytes + 24, 3);
    sync::seal(frame, {.kind = sync::Kind::snapshot,
                       .table = sync::kTelemetry,
                       .flags = last ? sync::kFlagLast : std::uint16_t{0},
                       .count = count,
                       .incarnation = 1,
                       .number = as_of,
                       .fingerprint = 7});
    return frame;
}

inline sync::Frame hello(std::uint64_t stream) { return sync::encode(sync::Hello{.stream_id = stream}, 1); }

inline WriterConfig config(std::uint64_t segment_bytes = 64U << 10U) {
    return {.node = kNode, .stream = kOwnStream, .salt = 0x5a17, .segment_bytes = segment_bytes};
}

// A folder: segments by sequence.
using Folder = std::map<std::uint64_t, std::vector<std::uint8_t>>;

inline void write(Folder& folder, const Group& group) {
    for (const Piece& p : group.pieces) {
        if (p.creates != 0) folder[p.sequence].assign(p.creates, 0);
        auto& file = folder.at(p.sequence);
        REQUIRE(p.offset + p.size <= file.size());
        std::copy_n(group.bytes.begin() + static_cast<std::ptrdiff_t>(p.begin), p.size,
                    file.begin() + static_cast<std::ptrdiff_t>(p.offset));
    }
}

inline std::vector<Bytes> files(const Folder& folder) {
    std::vector<Bytes> out;
    for (const auto& [sequence, file] : folder) out.emplace_back(file);
    return out;
}

inline Recovery recovered(const Folder& folder, const std::vector<Bytes>& snapshots = {}) {
    return recover({kNode, 0}, files(folder), snapshots);
}

inline std::vector<sync::Frame> frames_of(const std::vector<Place>& places, const Folder& folder) {
    const std::vector<Bytes> all = files(folder);
    std::vector<sync::Frame> out;
    for (const Place& p : places) {
        const Bytes frame = all[p.file].subspan(p.offset, p.length);
        out.emplace_back(frame.begin(), frame.end());
    }
    return out;
}

// Where a record went, and in which group.
struct Written {
    std::uint64_t sequence = 0, offset = 0, end = 0;
    std::size_t group = 0;
    sync::Frame frame;
};

// A writer and its folder; every append is noted.
struct Known {
    LogWriter writer;
    Folder folder;
    std::vector<Written> records;
    std::size_t groups = 0;

    explicit Known(std::uint64_t segment = 64U << 10U) : writer(config(segment)) {}

    void append(const sync::Frame& frame, std::uint16_t peer = 0, RecordKind kind = RecordKind::frame,
                bool from_spill = false) {
        writer.append(peer, frame, kind, from_spill);
        note(frame);
    }
    void note(const sync::Frame& frame) {
        const LogEnd& end = writer.end();
        records.push_back({end.sequence, end.offset - kLinkBytes - frame.size(), end.offset, groups, frame});
    }
    void mark() {
        const std::uint64_t before = writer.appended();
        writer.mark();
        if (writer.appended() != before) note({});
    }
    void sync() {
        if (writer.open_records() == 0) return;
        write(folder, *writer.take());
        writer.synced();
        ++groups;
    }
};

}  // namespace tiertwin::log
