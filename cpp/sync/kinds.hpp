// Bodies of fixed length, one struct a kind, and the lease prefix. Fields stand in wire order (PROTOCOL, "Wire").
//
// decode_x looks at the body of a frame whose header passed; it checks length, enumerations, zero bytes, terms and
// text. encode(x, incarnation) gives a whole sealed frame; what a decoder would refuse, it refuses (InvalidArgument).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sync/header.hpp"

namespace tiertwin::sync {

inline constexpr std::uint64_t kMaxTerm = std::uint64_t{1} << 31U;  // above: bad frame (R18)

[[nodiscard]] constexpr std::uint64_t make_epoch(std::uint32_t term, std::uint32_t base) {
    return (std::uint64_t{term} << 32U) | base;
}
[[nodiscard]] constexpr std::uint32_t term_of(std::uint64_t epoch) { return static_cast<std::uint32_t>(epoch >> 32U); }
[[nodiscard]] constexpr std::uint32_t base_epoch_of(std::uint64_t epoch) { return static_cast<std::uint32_t>(epoch); }

struct Hello {
    std::uint16_t version_min = kVersion;
    std::uint16_t version_max = kVersion;
    std::uint32_t flags = 0;  // bit 0: durable
    std::uint64_t stream_id = 0;
    std::uint64_t first = 1;  // on offer; an empty stream has first 1, last 0
    std::uint64_t last = 0;
    std::uint64_t peer_stream_id = 0;
    std::uint64_t peer_cursor = 0;
    std::uint64_t epoch = 0;  // highest seen
    bool operator==(const Hello&) const = default;
};

struct Welcome {
    std::uint16_t version = kVersion;
    std::uint8_t mode_up = 1;  // 1 resume, 2 snapshot
    std::uint8_t mode_down = 1;
    std::uint32_t flags = 0;  // bit 0: durable
    std::uint64_t stream_id = 0;
    std::uint64_t first = 1;
    std::uint64_t last = 0;
    std::uint64_t peer_stream_id = 0;
    std::uint64_t peer_cursor = 0;
    std::uint64_t epoch = 0;  // with the new term
    std::uint32_t credit_frames = 0;
    std::uint32_t credit_bytes = 0;
    std::uint32_t heartbeat_ms = 0;
    bool operator==(const Welcome&) const = default;
};

struct Ack {
    std::uint64_t received = 0;
    std::uint64_t durable = 0;
    std::uint64_t applied_at_root = 0;
    std::uint32_t credit_frames = 0;
    std::uint32_t credit_bytes = 0;
    bool operator==(const Ack&) const = default;
};

struct Resync {
    std::uint64_t cursor = 0;
    std::uint16_t reason = 1;  // 1 gap, 2 schema, 3 snapshot wanted, 4 chunk
    std::uint32_t chunk = 0;   // first missing
    bool operator==(const Resync&) const = default;
};

inline constexpr std::uint32_t kUnknownAge = 0xffff'ffff;  // ms; so does what is older than 49 days

struct Heartbeat {
    std::uint32_t counter = 0;
    std::uint32_t echo = 0;  // the peer's last counter handled
    std::uint64_t cursor = 0;
    std::uint64_t last_number = 0;
    std::uint64_t digest = 0;  // of the own stream at last_number
    std::uint64_t epoch = 0;
    std::uint32_t age_ms = 0;  // of the oldest input; kUnknownAge: there is none, or nobody says
    std::uint8_t state = 1;    // 1 ok, 2 degraded, 3 draining
    bool operator==(const Heartbeat&) const = default;
};

struct Bye {
    std::uint16_t reason = 1;  // 1 leave, 2 unknown session, 3 fenced, 4 version, 5 banned, 6 schema
    std::string text;          // UTF-8, <= 200 bytes
    bool operator==(const Bye&) const = default;
};

struct Barrier {
    std::uint64_t epoch = 0;
    bool operator==(const Barrier&) const = default;
};

// Before the blocks of a SNAPSHOT.
struct SnapshotPrefix {
    std::uint32_t chunk = 0;
    std::uint32_t chunks = 1;
    std::uint64_t digest = 0;
    bool operator==(const SnapshotPrefix&) const = default;
};

// Before the blocks of SOLVE and SOLVED.
struct SolvePrefix {
    std::uint64_t request = 0;
    std::uint32_t deadline_ms = 0;
    std::uint16_t problem = 0;
    std::uint16_t form = 1;  // 1 conic, 2 linear
    std::array<std::uint32_t, 4> sizes{};
    bool operator==(const SolvePrefix&) const = default;
};

struct SolvedPrefix {
    std::uint64_t request = 0;
    std::uint16_t status = 1;  // 1 optimal, 2 inaccurate, 3 infeasible, 4 unbounded, 5 limit, 6 error
    std::uint16_t form = 1;
    std::uint32_t solve_us = 0;
    bool operator==(const SolvedPrefix&) const = default;
};

// Before the blocks of table `budget`: a decision is a lease (R17).
struct Lease {
    std::uint64_t epoch = 0;  // term << 32 | base epoch
    std::uint64_t basis_version = 0;
    std::uint32_t validity_ms = 0;
    std::uint32_t age_ms = 0;  // of the oldest input; kUnknownAge as above
    std::uint32_t echo = 0;
    std::uint32_t flags = 0;  // low 4 bits: solver step S0 … S8; the rest zero
    [[nodiscard]] std::uint32_t solver_step() const { return flags & 0xfU; }
    bool operator==(const Lease&) const = default;
};

inline constexpr std::size_t kHelloBytes = 56, kWelcomeBytes = 72, kAckBytes = 32, kResyncBytes = 16,
                             kHeartbeatBytes = 48, kByeBytes = 208, kBarrierBytes = 8, kSnapshotPrefixBytes = 16,
                             kSolvePrefixBytes = 32, kSolvedPrefixBytes = 16, kLeaseBytes = 32, kByeText = 200;

[[nodiscard]] Verdict decode(Bytes body, Hello& out);
[[nodiscard]] Verdict decode(Bytes body, Welcome& out);
[[nodiscard]] Verdict decode(Bytes body, Ack& out);
[[nodiscard]] Verdict decode(Bytes body, Resync& out);
[[nodiscard]] Verdict decode(Bytes body, Heartbeat& out);
[[nodiscard]] Verdict decode(Bytes body, Bye& out);
[[nodiscard]] Verdict decode(Bytes body, Barrier& out);
// Prefixes: the body may go on behind them.
[[nodiscard]] Verdict decode(Bytes body, SnapshotPrefix& out);
[[nodiscard]] Verdict decode(Bytes body, SolvePrefix& out);
[[nodiscard]] Verdict decode(Bytes body, SolvedPrefix& out);
[[nodiscard]] Verdict decode(Bytes body, Lease& out);

[[nodiscard]] Frame encode(const Hello& body, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const Welcome& body, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const Ack& body, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const Resync& body, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const Heartbeat& body, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const Bye& body, std::uint32_t incarnation);
[[nodiscard]] Frame encode(const Barrier& body, std::uint32_t incarnation);

// Append the prefix to a frame under construction.
void append(Frame& frame, const SnapshotPrefix& prefix);
void append(Frame& frame, const SolvePrefix& prefix);
void append(Frame& frame, const SolvedPrefix& prefix);
void append(Frame& frame, const Lease& prefix);

}  // namespace tiertwin::sync
