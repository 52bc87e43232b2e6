// Why a frame was refused: one code a check of R32, R35 and R36, each with its own counter at the peer.
// The numbers are stable (logs, Python's IntEnum); a new check gets the next number of its group.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tiertwin::sync {

enum class Reason : std::uint16_t {
    ok = 0,
    // header, in its order
    too_short = 1,
    too_long = 2,
    misaligned = 3,
    magic = 4,
    version = 5,
    kind = 6,
    table = 7,
    flags = 8,
    length = 9,
    count = 10,
    checksum = 11,
    incarnation = 12,
    number = 13,
    fingerprint = 14,
    // who and when (the peer's checks)
    identity = 20,
    session = 21,
    role = 22,
    gap = 23,
    duplicate = 24,
    lower_term = 25,
    clock = 26,
    // body
    body_length = 30,
    body_value = 31,
    padding = 32,
    term = 33,
    text = 34,
    lease = 35,
    chunk = 36,
    digest = 37,
    // blocks
    block_short = 40,
    block_type = 41,
    block_flags = 42,
    block_empty = 43,
    block_time = 44,
    block_count = 45,
    too_many_unknown = 46,
    // values
    row = 50,
    not_finite = 51,
    range = 52,
    inexact = 53,
    offsets = 54,
    value_length = 55,
    privacy = 56,  // an attribute that may not cross this border
};

inline constexpr std::array<std::pair<Reason, std::string_view>, 44> kReasons{{
    {Reason::ok, "ok"},
    {Reason::too_short, "too_short"},
    {Reason::too_long, "too_long"},
    {Reason::misaligned, "misaligned"},
    {Reason::magic, "magic"},
    {Reason::version, "version"},
    {Reason::kind, "kind"},
    {Reason::table, "table"},
    {Reason::flags, "flags"},
    {Reason::length, "length"},
    {Reason::count, "count"},
    {Reason::checksum, "checksum"},
    {Reason::incarnation, "incarnation"},
    {Reason::number, "number"},
    {Reason::fingerprint, "fingerprint"},
    {Reason::identity, "identity"},
    {Reason::session, "session"},
    {Reason::role, "role"},
    {Reason::gap, "gap"},
    {Reason::duplicate, "duplicate"},
    {Reason::lower_term, "lower_term"},
    {Reason::clock, "clock"},
    {Reason::body_length, "body_length"},
    {Reason::body_value, "body_value"},
    {Reason::padding, "padding"},
    {Reason::term, "term"},
    {Reason::text, "text"},
    {Reason::lease, "lease"},
    {Reason::chunk, "chunk"},
    {Reason::digest, "digest"},
    {Reason::block_short, "block_short"},
    {Reason::block_type, "block_type"},
    {Reason::block_flags, "block_flags"},
    {Reason::block_empty, "block_empty"},
    {Reason::block_time, "block_time"},
    {Reason::block_count, "block_count"},
    {Reason::too_many_unknown, "too_many_unknown"},
    {Reason::row, "row"},
    {Reason::not_finite, "not_finite"},
    {Reason::range, "range"},
    {Reason::inexact, "inexact"},
    {Reason::offsets, "offsets"},
    {Reason::value_length, "value_length"},
    {Reason::privacy, "privacy"},
}};

[[nodiscard]] constexpr std::string_view name_of(Reason reason) {
    for (const auto& [code, name] : kReasons) {
        if (code == reason) return name;
    }
    return "unknown";
}

// Where a check failed: byte offset in the frame, for the message of R35.
struct Verdict {
    Reason reason = Reason::ok;
    std::size_t at = 0;
    [[nodiscard]] bool ok() const { return reason == Reason::ok; }
};

}  // namespace tiertwin::sync
