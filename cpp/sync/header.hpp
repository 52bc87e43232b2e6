// The 40 bytes before every body. Checks run in the order of the fields, without allocation, before the body is read.
//
//   0 magic 54 57 · 2 version u8 · 3 kind u8 · 4 table u16 · 6 flags u16 · 8 body length u32 · 12 count u32
//   16 crc32c u32 · 20 incarnation u32 · 24 number u64 · 32 fingerprint u64                      (little-endian)
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sync/reason.hpp"

namespace tiertwin::sync {

using Bytes = std::span<const std::uint8_t>;
using Frame = std::vector<std::uint8_t>;

inline constexpr std::size_t kHeaderBytes = 40;
inline constexpr std::size_t kMaxFrameBytes = 1'000'000;  // CURVE leaves room for 1 048 543
inline constexpr std::size_t kCutBytes = 256 * 1024;      // encoders cut here, so that heartbeats get through
inline constexpr std::uint8_t kVersion = 1;

inline constexpr std::uint16_t kFlagLast = 1U << 0U;        // last frame of a snapshot or plan
inline constexpr std::uint16_t kFlagRetransmit = 1U << 8U;  // ignorable
inline constexpr std::uint16_t kCriticalFlags = 0x00ffU;

enum class Kind : std::uint8_t {
    hello = 1,
    welcome = 2,
    delta = 3,
    ack = 4,
    snapshot = 5,
    resync = 6,
    heartbeat = 7,
    bye = 8,
    barrier = 9,
    solve = 16,
    solved = 17,
};

[[nodiscard]] bool is_kind(std::uint8_t code);
[[nodiscard]] std::string_view name_of(Kind kind);
[[nodiscard]] bool has_table(Kind kind);   // DELTA, SNAPSHOT
[[nodiscard]] bool has_blocks(Kind kind);  // those and SOLVE, SOLVED

// Tables of the protocol; ids from 32 on come from the schema.
inline constexpr std::uint16_t kTelemetry = 1;
inline constexpr std::uint16_t kSummary = 2;
inline constexpr std::uint16_t kNames = 3;
inline constexpr std::uint16_t kCut = 4;
inline constexpr std::uint16_t kPoint = 5;
inline constexpr std::uint16_t kBudget = 16;
inline constexpr std::uint16_t kQuery = 17;
inline constexpr std::uint16_t kSubscription = 18;

struct Header {
    std::uint8_t version = kVersion;
    Kind kind = Kind::delta;
    std::uint16_t table = 0;
    std::uint16_t flags = 0;
    std::uint32_t body_length = 0;
    std::uint32_t count = 0;
    std::uint32_t crc = 0;
    std::uint32_t incarnation = 0;
    std::uint64_t number = 0;
    std::uint64_t fingerprint = 0;

    [[nodiscard]] bool last() const { return (flags & kFlagLast) != 0; }
    // Number of the last record of a DELTA; number - 1 without records.
    [[nodiscard]] std::uint64_t last_number() const { return number + count - 1; }
    bool operator==(const Header&) const = default;
};

// What the session knows; checked at the field's place in the order. Absent before HELLO / WELCOME.
struct HeaderExpectation {
    std::optional<std::uint32_t> incarnation;
};

// Fills `out` as far as it got. The fingerprint is compared with the table's by whoever has the table.
[[nodiscard]] Verdict decode_header(Bytes frame, Header& out, const HeaderExpectation& expect = {});

// Puts `header` before the body already in `frame` (which starts with kHeaderBytes free bytes): fills in body length
// and crc32c. InvalidArgument for a body that is not a multiple of 8 or a frame beyond kMaxFrameBytes.
void seal(Frame& frame, Header header);

// Sends the same bytes again: present incarnation, retransmission flag, new crc (R8).
void restamp(Frame& frame, std::uint32_t incarnation, bool retransmit);

[[nodiscard]] inline Bytes body_of(Bytes frame) { return frame.subspan(kHeaderBytes); }
// A verdict on a body, told from where the frame begins.
[[nodiscard]] inline Verdict in_body(Verdict verdict) { return {verdict.reason, verdict.at + kHeaderBytes}; }

}  // namespace tiertwin::sync
