// What is wrong with a log or a snapshot: one code a check. The numbers are stable (news, Python's table); a new check
// gets the next number of its group.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tiertwin::log {

enum class Fault : std::uint16_t {
    ok = 0,
    // file header, in its order
    file_short = 1,
    file_magic = 2,
    file_version = 3,
    file_field = 4,
    file_checksum = 5,
    file_node = 6,
    file_stream = 7,
    file_size = 8,
    // record, in the order of its checks
    link_empty = 20,  // zeros where something follows
    link_field = 21,
    link_place = 22,
    record_size = 23,  // runs beyond the file
    frame = 24,        // refused by the codec
    chain = 25,
    kind = 26,    // a kind of frame that no log holds for this peer
    number = 27,  // a gap, or nothing new
    stream = 28,  // records of a peer whose stream nobody named
    events = 29,  // spilled events miscounted
    // the files together
    missing = 40,  // a segment, or the beginning without a snapshot
    sequel = 41,   // a segment does not go on where the one before ended
    behind = 42,   // the log ends before a snapshot that was made of it
    doubled = 43,  // two files of one place
    // snapshot
    snapshot_cursors = 60,
    snapshot_end = 61,
};

inline constexpr std::array<std::pair<Fault, std::string_view>, 25> kFaults{{
    {Fault::ok, "ok"},
    {Fault::file_short, "file_short"},
    {Fault::file_magic, "file_magic"},
    {Fault::file_version, "file_version"},
    {Fault::file_field, "file_field"},
    {Fault::file_checksum, "file_checksum"},
    {Fault::file_node, "file_node"},
    {Fault::file_stream, "file_stream"},
    {Fault::file_size, "file_size"},
    {Fault::link_empty, "link_empty"},
    {Fault::link_field, "link_field"},
    {Fault::link_place, "link_place"},
    {Fault::record_size, "record_size"},
    {Fault::frame, "frame"},
    {Fault::chain, "chain"},
    {Fault::kind, "kind"},
    {Fault::number, "number"},
    {Fault::stream, "stream"},
    {Fault::events, "events"},
    {Fault::missing, "missing"},
    {Fault::sequel, "sequel"},
    {Fault::behind, "behind"},
    {Fault::doubled, "doubled"},
    {Fault::snapshot_cursors, "snapshot_cursors"},
    {Fault::snapshot_end, "snapshot_end"},
}};

[[nodiscard]] constexpr std::string_view name_of(Fault fault) {
    for (const auto& [code, name] : kFaults) {
        if (code == fault) return name;
    }
    return "unknown";
}

// The first check that failed, and the byte of the file at which.
struct Finding {
    Fault fault = Fault::ok;
    std::uint64_t at = 0;
    [[nodiscard]] bool ok() const { return fault == Fault::ok; }
    bool operator==(const Finding&) const = default;
};

}  // namespace tiertwin::log
