// The session with one peer as a table: state x input x condition -> next state and effects.
//
// The rows are data (`transitions()`), tried from the top; the last one takes everything no other row names, changes
// nothing and counts. `apply` is the only way to move: it finds the row, does the row's bookkeeping in the Session and
// returns the effects, which the caller (Peer) carries out. The same table serves parents and children.
//
// States      fresh (called "new" on the wire page), live, gapped, resyncing, lost, banned describe what we *receive*.
//             The other direction is governed by what the peer asks for: ACK, RESYNC, its cursor in HELLO or WELCOME
//             (input `offer`) and the retry timer.
// Requires    `now` never goes back. Frames passed the header, identity and role checks, except for `bad_frame`.
// Thread      plain value, externally synchronised. No clock, no randomness: same inputs, same outputs.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "base/types.hpp"

namespace tiertwin::sync {

enum class State : std::uint8_t { fresh, live, gapped, resyncing, lost, banned };
inline constexpr std::size_t kStates = 6;

// Frames of the peer first (hello … solver), then what we notice ourselves.
enum class Input : std::uint8_t {
    hello,
    welcome,
    delta,
    ack,
    snapshot,
    resync,
    heartbeat,
    bye,
    barrier,
    solver,
    bad_frame,  // a frame that failed a check
    open,       // we (a child) want a session
    offer,      // after HELLO or WELCOME: the cursor that the peer has in our stream
    complete,   // all chunks of a snapshot are staged
    wait,       // timer of a waiting state: HELLO unanswered, gap, resync
    retry,      // timer of unacknowledged records
    silence,    // nothing heard for kSuspectAfter
    death,      // nothing heard for kDeadAfter
    unreachable,
};
inline constexpr std::size_t kInputs = 19;
inline constexpr std::uint32_t kFrames = 0x3ffU;  // hello … solver

inline constexpr Time kNoTime = std::numeric_limits<Time>::max();  // a timer that is off
inline constexpr Time kLongAgo = std::numeric_limits<Time>::min() / 4;
inline constexpr Time kFirstWait = 300 * kMillisecond, kLongestWait = 2 * kSecond;
inline constexpr Time kSuspectAfter = 1 * kSecond, kDeadAfter = 2 * kSecond;
inline constexpr Time kBadWindow = 60 * kSecond, kFirstBan = 10 * kSecond, kLongestBan = 600 * kSecond;
inline constexpr Time kUnknownEvery = 1 * kSecond;  // at most one BYE(unknown session) in this time
inline constexpr std::uint32_t kGapTries = 3, kChunkFailures = 3;

inline constexpr std::uint64_t kNoNumber = std::numeric_limits<std::uint64_t>::max();

// What happened, with the facts the conditions look at; unused fields stay zero.
struct Event {
    Input input = Input::bad_frame;
    std::uint64_t first = 0;   // DELTA: first record. HELLO, WELCOME: oldest on offer. RESYNC, HEARTBEAT, offer: the
                               // peer's cursor
    std::uint64_t last = 0;    // DELTA: last record. HELLO, WELCOME: newest on offer. ACK: received level.
                               // HEARTBEAT: the peer's last number. SNAPSHOT, complete: as-of number
    std::uint64_t stream = 0;  // HELLO, WELCOME: the peer's own stream id
    std::uint32_t incarnation = 0;  // HELLO, WELCOME
    std::uint32_t term = 0;         // WELCOME
    std::uint32_t index = 0;        // SNAPSHOT: chunk. RESYNC: first missing chunk
    std::uint32_t count = 0;        // SNAPSHOT: chunks
    std::uint16_t reason = 0;       // RESYNC
    bool agree = true;    // WELCOME: mode is resume. HEARTBEAT, complete: digests equal. offer: it names our stream
    bool allowed = true;  // BARRIER: virtual clock. SOLVE, SOLVED: role
    Time echoed_at = kLongAgo;  // HEARTBEAT: when we sent the one that it echoes
};

// Effects, a bit each; carried out by the caller in this order.
enum Effect : std::uint32_t {
    kByeFenced = 1U << 0U,
    kByeUnknown = 1U << 1U,
    kByeBanned = 1U << 2U,
    kByeFailed = 1U << 3U,
    kSendHello = 1U << 4U,
    kBegin = 1U << 5U,            // a session object anew: peer known, both directions start again
    kWelcomeResume = 1U << 6U,    // (parent answers WELCOME) the peer's stream goes on from our cursor
    kWelcomeSnapshot = 1U << 7U,  // (parent answers WELCOME) the peer's stream starts with a snapshot
    kApply = 1U << 8U,            // take the records above the cursor
    kAckNow = 1U << 9U,
    kResyncGap = 1U << 10U,
    kResyncSnapshot = 1U << 11U,
    kResyncChunk = 1U << 12U,
    kStage = 1U << 13U,
    kSwap = 1U << 14U,
    kSendFrom = 1U << 15U,
    kSendSnapshot = 1U << 16U,
    kSendChunks = 1U << 17U,
    kRetransmit = 1U << 18U,
    kTruncate = 1U << 19U,
    kNote = 1U << 20U,
    kHandOn = 1U << 21U,
    kStale = 1U << 22U,  // rows of this peer are stale from now on
    kSuspect = 1U << 23U,
    kAlarm = 1U << 24U,
    kBad = 1U << 25U,   // the frame turned out to be a bad one: the caller goes on with `bad_frame`
    kDrop = 1U << 26U,  // nothing of the frame takes effect
    kUnlisted = 1U << 27U,
};

// How a row's condition is judged; see `holds` in session.cpp, one line each.
enum class When : std::uint8_t {
    always,
    lower_incarnation,
    resumable,
    known_term,
    said_unknown,
    next,
    old,
    overlaps,
    reaches,
    newer_snapshot,
    newer_chunk,
    expected_chunk,
    repeated_chunk,
    chunk_asked,
    failures_left,
    agrees,
    within_log,
    beyond_sent,
    schema,
    chunk_missing,
    overtaken,
    unacknowledged,
    other_digest,
    lacks_acked,
    allowed,
    tries_left,
    third_bad,
    still_banned,
};

struct Row {
    std::uint8_t states;   // mask of 1 << State
    std::uint32_t inputs;  // mask of 1 << Input
    When when;
    std::int8_t next;  // State, or kSame
    std::uint32_t effects;
};
inline constexpr std::int8_t kSame = -1;

struct Session {
    State state = State::fresh;
    bool suspect = false;
    bool attached = false;  // HELLO and WELCOME went through: we may send

    // what the peer sends
    std::uint32_t incarnation = 0;  // 0: never met
    std::uint32_t term = 0;         // of the newest WELCOME taken (child)
    std::uint64_t stream = 0;       // the peer's stream id, 0: none known
    std::uint64_t cursor = 0;       // applied up to here
    bool whole = false;             // the tables hold `stream` at `cursor` (a resync of a new stream did end)
    std::uint64_t as_of = 0;        // of the snapshot being staged
    std::uint32_t staged = 0;       // chunks staged
    std::uint32_t failures = 0;     // digests that differed in this resync
    std::uint32_t tries = 0;        // of this wait, or chunks asked for without progress
    Time asked_at = kLongAgo;       // when a chunk was last asked for
    Time wait_at = kNoTime, wait_every = kFirstWait;

    // what we send
    std::uint64_t log_first = 1;  // oldest record that can be sent again
    std::uint64_t sent = 0;       // highest number ever sent
    std::uint64_t acked = 0;      // highest number the peer is known to have; 0 again while it waits for a snapshot
    Time acked_at = kLongAgo;     // when it last rose
    bool snapshot_out = false;    // it wants a snapshot, or has not acknowledged the one it was sent
    std::uint64_t snapshot_as_of = kNoNumber;
    std::uint64_t wanted_at = 0;  // the peer's cursor when it wanted one
    Time retry_at = kNoTime, retry_every = kFirstWait;

    // the way there and back, as acknowledgements show it (Jacobson and Karels); see `note_sent`
    Time patience = kFirstWait;       // before sending or asking again: srtt + 4 rttvar in kFirstWait … kLongestWait
    Time srtt = -1, rttvar = 0;       // smoothed time to the acknowledgement and its mean deviation; -1: none measured
    std::uint64_t timed = kNoNumber;  // record whose acknowledgement is measured; kNoNumber: none
    Time timed_at = 0;

    Time heard_at = kNoTime;  // last frame of any kind; kNoTime: nobody is expected
    Time unknown_at = kLongAgo;
    Time banned_until = kLongAgo;
    std::uint32_t bans = 0;
    std::array<Time, 2> bad_at{kLongAgo, kLongAgo};  // the last two bad frames, older first

    std::array<std::array<std::uint64_t, kInputs>, kStates> unlisted{};  // counted by (state, kind)
};

struct Outcome {
    std::uint32_t effects = 0;
    std::size_t row = 0;  // index into transitions()
    [[nodiscard]] bool has(Effect effect) const { return (effects & effect) != 0; }
};

[[nodiscard]] std::span<const Row> transitions();
// The row that answers, without moving.
[[nodiscard]] std::size_t find_row(const Session& session, const Event& event, Time now);
Outcome apply(Session& session, const Event& event, Time now);
// Records up to `last` left for the peer (again): the retry timer runs until they are acknowledged. One record at a
// time is measured, from leaving for the first time to its acknowledgement; one that may have gone twice tells nothing,
// and until another one does, the longer waiting time of the retry stays (Karn). A peer whose loop is slow is asked and
// sent to less often, not more.
void note_sent(Session& session, std::uint64_t last, Time now);
// The snapshot as of `number` left; older records can not be sent again.
void note_snapshot(Session& session, std::uint64_t number, Time now);

}  // namespace tiertwin::sync
