#include "sync/session.hpp"

#include <algorithm>

namespace tiertwin::sync {
namespace {

constexpr std::uint8_t bit(State s) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(s)); }
constexpr std::uint32_t bit(Input i) { return 1U << static_cast<unsigned>(i); }
constexpr std::int8_t to(State s) { return static_cast<std::int8_t>(s); }

constexpr std::uint8_t kAnyState = 0x3fU;
constexpr std::uint8_t kFresh = bit(State::fresh), kLive = bit(State::live), kGapped = bit(State::gapped);
constexpr std::uint8_t kResyncing = bit(State::resyncing), kLost = bit(State::lost), kBanned = bit(State::banned);
constexpr std::uint8_t kOpen = kLive | kGapped | kResyncing;
constexpr std::uint8_t kNotBanned = kAnyState & static_cast<std::uint8_t>(~kBanned);
constexpr std::uint32_t kAnyInput = (1U << kInputs) - 1U;
constexpr std::uint32_t kNeedSession =
    kFrames & ~(bit(Input::hello) | bit(Input::welcome) | bit(Input::bye));  // answered by BYE(unknown session)

constexpr std::array kRows{
    // --- banned: dropped on the header until the time is over
    Row{kBanned, kFrames | bit(Input::bad_frame) | bit(Input::open), When::still_banned, kSame, kDrop},
    Row{kBanned, kFrames | bit(Input::bad_frame), When::always, to(State::fresh), kByeUnknown | kDrop},
    // --- attaching
    Row{kAnyState, bit(Input::open), When::always, to(State::fresh), kSendHello},
    Row{kNotBanned, bit(Input::hello), When::lower_incarnation, kSame, kByeFenced | kDrop},
    Row{kNotBanned, bit(Input::hello), When::resumable, to(State::live), kBegin | kWelcomeResume},
    Row{kNotBanned, bit(Input::hello), When::always, to(State::resyncing), kBegin | kWelcomeSnapshot | kStale},
    Row{kFresh | kOpen, bit(Input::welcome), When::lower_incarnation, kSame, kDrop},
    Row{kFresh | kOpen, bit(Input::welcome), When::known_term, kSame, kDrop},
    // In an open session it answers a HELLO that was repeated: the parent began anew, so do we.
    Row{kFresh | kOpen, bit(Input::welcome), When::resumable, to(State::live), kBegin},
    Row{kFresh | kOpen, bit(Input::welcome), When::always, to(State::resyncing), kBegin | kStale},
    Row{kOpen, bit(Input::offer), When::within_log, kSame, kSendFrom},
    Row{kOpen, bit(Input::offer), When::always, kSame, kSendSnapshot},
    Row{kFresh | kLost, kNeedSession, When::said_unknown, kSame, kDrop},
    Row{kFresh | kLost, kNeedSession, When::always, kSame, kByeUnknown | kDrop},
    Row{kFresh, bit(Input::wait), When::always, kSame, kSendHello},
    // --- records
    Row{kLive, bit(Input::delta), When::next, kSame, kApply},
    Row{kLive, bit(Input::delta), When::old, kSame, kDrop | kAckNow},
    Row{kLive, bit(Input::delta), When::overlaps, kSame, kApply},
    Row{kLive, bit(Input::delta), When::always, to(State::gapped), kDrop | kResyncGap},
    Row{kGapped, bit(Input::delta), When::reaches, to(State::live), kApply},
    Row{kGapped | kResyncing, bit(Input::delta), When::always, kSame, kDrop},
    Row{kGapped, bit(Input::wait), When::tries_left, kSame, kResyncGap},
    Row{kGapped, bit(Input::wait), When::always, to(State::resyncing), kResyncSnapshot},
    // --- snapshots
    Row{kLive | kGapped, bit(Input::snapshot), When::newer_snapshot, to(State::resyncing), kStage},
    // Its first chunk was lost; the peer sends no records until we have swapped, so the log does not help.
    Row{kLive | kGapped, bit(Input::snapshot), When::newer_chunk, to(State::resyncing), kDrop | kResyncChunk},
    Row{kLive, bit(Input::snapshot), When::old, kSame, kDrop | kAckNow},
    Row{kResyncing, bit(Input::snapshot), When::old, kSame, kDrop},
    Row{kResyncing, bit(Input::snapshot), When::expected_chunk, kSame, kStage},
    Row{kResyncing, bit(Input::snapshot), When::repeated_chunk, kSame, kDrop},
    Row{kResyncing, bit(Input::snapshot), When::chunk_asked, kSame, kDrop},
    Row{kResyncing, bit(Input::snapshot), When::failures_left, kSame, kDrop | kResyncChunk},
    Row{kResyncing, bit(Input::complete), When::agrees, to(State::live), kSwap | kAckNow},
    Row{kResyncing, bit(Input::complete), When::failures_left, kSame, kDrop | kResyncChunk},
    Row{kResyncing, bit(Input::snapshot) | bit(Input::complete), When::always, to(State::lost),
        kByeFailed | kAlarm | kStale | kDrop},
    Row{kResyncing, bit(Input::wait), When::always, kSame, kResyncChunk},  // a waiting state without timeout would hang
    // --- the peer's wishes
    Row{kOpen, bit(Input::resync), When::schema, kSame, kAlarm},
    Row{kOpen, bit(Input::resync), When::beyond_sent, kSame, kBad | kDrop},
    Row{kOpen, bit(Input::resync), When::chunk_missing, kSame, kSendChunks},
    Row{kOpen, bit(Input::resync), When::overtaken, kSame, kDrop},  // the peer has told us a later cursor since
    Row{kOpen, bit(Input::resync), When::within_log, kSame, kSendFrom},
    Row{kOpen, bit(Input::resync), When::always, kSame, kSendSnapshot},
    Row{kOpen, bit(Input::ack), When::beyond_sent, kSame, kBad | kDrop},
    Row{kOpen, bit(Input::ack), When::overtaken, kSame, kDrop},
    Row{kOpen, bit(Input::ack), When::always, kSame, kTruncate},
    Row{kOpen, bit(Input::retry), When::unacknowledged, kSame, kRetransmit},
    // --- life
    Row{kLive, bit(Input::heartbeat), When::other_digest, to(State::resyncing), kNote | kAlarm | kResyncSnapshot},
    // It acknowledged that to an earlier life of ours; an ACK does not say which life, or stream, it is for.
    Row{kOpen, bit(Input::heartbeat), When::lacks_acked, kSame, kNote | kSendSnapshot},
    Row{kOpen, bit(Input::heartbeat), When::always, kSame, kNote},
    Row{kLive, bit(Input::barrier) | bit(Input::solver), When::allowed, kSame, kHandOn},
    Row{kFresh | kOpen, bit(Input::silence), When::always, kSame, kSuspect},
    Row{kFresh | kOpen, bit(Input::death) | bit(Input::bye) | bit(Input::unreachable), When::always, to(State::lost),
        kStale},
    // --- trust
    Row{kNotBanned, bit(Input::bad_frame), When::third_bad, to(State::banned), kByeBanned | kStale | kDrop},
    Row{kNotBanned, bit(Input::bad_frame), When::always, kSame, kDrop},
    // --- anything not listed
    Row{kAnyState, kAnyInput, When::always, kSame, kDrop | kUnlisted},
};

bool unacknowledged(const Session& s) { return s.acked < s.sent || s.snapshot_out; }

bool holds(When when, const Session& s, const Event& e, Time now) {
    switch (when) {
        case When::always:
            return true;
        case When::lower_incarnation:
            return e.incarnation < s.incarnation;
        case When::resumable:
            return e.agree && s.whole && e.stream == s.stream && s.cursor + 1 >= e.first && s.cursor <= e.last;
        case When::known_term:
            return e.term <= s.term;
        case When::said_unknown:
            return now < s.unknown_at + kUnknownEvery;
        case When::next:
            return e.first == s.cursor + 1;
        case When::old:
            return e.last <= s.cursor && (e.input == Input::delta || s.state == State::live || e.last < s.cursor);
        case When::overlaps:
            return e.first <= s.cursor;
        case When::reaches:
            return e.first <= s.cursor + 1 && e.last > s.cursor;
        case When::newer_snapshot:
            return e.index == 0 && e.last > s.cursor;
        case When::newer_chunk:
            return e.last > s.cursor;
        case When::expected_chunk:
            return e.index == 0 ? (s.staged == 0 || e.last > s.as_of) : (e.index == s.staged && e.last == s.as_of);
        case When::repeated_chunk:
            return e.last < s.as_of || (e.last == s.as_of && e.index < s.staged);
        case When::chunk_asked:
            return now < s.asked_at + s.patience;
        case When::failures_left:
            return (e.input == Input::complete ? s.failures : s.tries) + 1 < kChunkFailures;
        case When::agrees:
            return e.agree;
        case When::within_log:
            return e.agree && e.reason != 3 && e.reason != 4 && e.first + 1 >= s.log_first && e.first <= s.sent;
        case When::beyond_sent:
            return (e.input == Input::ack ? e.last : e.first) > s.sent;
        case When::schema:
            return e.reason == 2;
        case When::chunk_missing:
            return e.reason == 4 && s.snapshot_out;
        case When::overtaken:
            return (e.input == Input::ack ? e.last : e.first) < s.acked;
        case When::unacknowledged:
            return unacknowledged(s);
        case When::other_digest:
            return e.last == s.cursor && !e.agree;
        case When::lacks_acked:  // and nothing has overtaken this: it heard of us after we had taken `acked`
            return e.first < s.acked && e.echoed_at > s.acked_at;
        case When::allowed:
            return e.allowed;
        case When::tries_left:
            return s.tries + 1 < kGapTries;
        case When::third_bad:
            return s.bad_at[0] > now - kBadWindow;
        case When::still_banned:
            return now < s.banned_until;
    }
    return false;
}

void start_wait(Session& s, Time now) {
    s.tries = 0;
    s.wait_every = s.patience;
    s.wait_at = now + s.wait_every;
}

void wait_longer(Session& s, Time now) {
    ++s.tries;
    s.wait_every = std::min(2 * s.wait_every, kLongestWait);
    s.wait_at = now + s.wait_every;
}

void restage(Session& s) {
    s.staged = 0;
    s.as_of = 0;
}

void begin(Session& s, const Event& e) {
    s.incarnation = e.incarnation;
    s.suspect = false;
    s.attached = true;
    s.failures = 0;
    s.snapshot_out = false;
    s.retry_every = s.patience;
    s.timed = kNoNumber;
    s.wait_at = s.retry_at = kNoTime;
    restage(s);
    if (e.input == Input::welcome) s.term = e.term;
    if (e.stream == s.stream) return;
    s.stream = e.stream;  // a new stream replaces the peer's rows by snapshot (R7)
    s.cursor = 0;
    s.whole = false;
}

void detach(Session& s) {
    s.attached = false;
    s.suspect = false;
    s.wait_at = s.retry_at = s.heard_at = kNoTime;
    restage(s);
}

void ban(Session& s, Time now) {
    const Time length = kFirstBan << std::min<std::uint32_t>(s.bans, 6);
    s.banned_until = now + std::min(length, kLongestBan);
    ++s.bans;
    s.bad_at = {kLongAgo, kLongAgo};
}

// What entering a state means, whatever led there.
void enter(Session& s, State before, Time now) {
    if (s.state == before) return;
    switch (s.state) {
        case State::live:
            s.wait_at = kNoTime;
            break;
        case State::gapped:
            start_wait(s, now);
            break;
        case State::resyncing:
            start_wait(s, now);
            s.failures = 0;
            break;
        case State::fresh:
        case State::lost:
            detach(s);
            break;
        case State::banned:
            detach(s);
            ban(s, now);
            break;
    }
}

void stage(Session& s, const Event& e, Time now) {
    s.as_of = e.last;
    s.staged = e.index + 1;
    start_wait(s, now);
}

// Nobody who waits for a snapshot takes anything else: who acknowledges more than when it wanted one has had one since.
bool satisfied(const Session& s, std::uint64_t received) {
    return s.snapshot_as_of == kNoNumber ? received > s.wanted_at : received >= s.snapshot_as_of;
}

// True when the acknowledgement told how long the way is.
bool measure(Session& s, std::uint64_t received, Time now) {
    if (s.timed == kNoNumber || received < s.timed) return false;
    const Time took = now - s.timed_at;
    s.timed = kNoNumber;
    if (s.srtt < 0) {
        s.srtt = took;
        s.rttvar = took / 2;
    } else {
        s.rttvar += ((took > s.srtt ? took - s.srtt : s.srtt - took) - s.rttvar) / 4;
        s.srtt += (took - s.srtt) / 8;
    }
    s.patience = std::clamp(s.srtt + 4 * s.rttvar, kFirstWait, kLongestWait);
    return true;
}

void raise_acked(Session& s, std::uint64_t number, Time now) {
    if (number <= s.acked) return;
    s.acked = number;
    s.acked_at = now;
}

void truncate(Session& s, std::uint64_t received, Time now) {
    const bool progress = received > s.acked;
    raise_acked(s, received, now);
    if (measure(s, received, now)) s.retry_every = s.patience;
    if (s.snapshot_out && satisfied(s, received)) s.snapshot_out = false;
    if (!unacknowledged(s)) {
        s.retry_at = kNoTime;
    } else if (progress) {  // acknowledgements that do not move anything must not postpone the retry
        s.retry_at = now + s.retry_every;
    }
}

void note_effects(Session& s, const Event& e, std::uint32_t effects, Time now) {
    if ((effects & kApply) != 0) s.cursor = e.last;
    if ((effects & kByeUnknown) != 0) s.unknown_at = now;
    if ((effects & kStage) != 0) stage(s, e, now);
    if ((effects & kSuspect) != 0) s.suspect = true;
    if ((effects & kResyncChunk) != 0) {
        s.asked_at = now;
        if (e.input == Input::snapshot) ++s.tries;  // until a chunk is staged
        if (e.input == Input::complete) {
            ++s.failures;
            restage(s);
        }
    }
    if ((effects & kSwap) != 0) {
        s.cursor = s.as_of;
        s.whole = true;
        restage(s);
    }
    if ((effects & kSendFrom) != 0) {
        if (e.input == Input::offer && e.first < s.acked) {  // a restart kept what is durable, not what was received
            s.acked = e.first;
            s.acked_at = now;
        }
        raise_acked(s, e.first, now);
        s.snapshot_out = false;
        if (!unacknowledged(s)) s.retry_at = kNoTime;
    }
    if ((effects & kSendSnapshot) != 0) {
        s.acked = 0;
        s.snapshot_out = true;
        s.snapshot_as_of = kNoNumber;
        s.wanted_at = e.input == Input::offer && !e.agree ? 0 : e.first;  // else it is the cursor in another stream
    }
    if ((effects & (kSendFrom | kSendSnapshot | kSendChunks | kRetransmit)) != 0) s.timed = kNoNumber;
    if ((effects & kTruncate) != 0) truncate(s, e.last, now);
    if ((effects & kRetransmit) != 0) {
        s.retry_every = std::min(2 * s.retry_every, kLongestWait);
        s.retry_at = now + s.retry_every;
    }
}

}  // namespace

void note_sent(Session& s, std::uint64_t last, Time now) {
    if (last > s.sent && s.timed == kNoNumber) {
        s.timed = last;
        s.timed_at = now;
    }
    s.sent = std::max(s.sent, last);
    if (s.retry_at == kNoTime && unacknowledged(s)) s.retry_at = now + s.retry_every;
}

void note_snapshot(Session& s, std::uint64_t number, Time now) {
    s.log_first = number + 1;
    s.snapshot_as_of = number;
    note_sent(s, number, now);
}

std::span<const Row> transitions() { return kRows; }

std::size_t find_row(const Session& session, const Event& event, Time now) {
    const std::uint8_t state = bit(session.state);
    const std::uint32_t input = bit(event.input);
    std::size_t i = 0;
    while ((kRows[i].states & state) == 0 || (kRows[i].inputs & input) == 0 ||
           !holds(kRows[i].when, session, event, now)) {
        ++i;  // ends at the last row, which takes everything
    }
    return i;
}

Outcome apply(Session& s, const Event& e, Time now) {
    const std::size_t index = find_row(s, e, now);
    const Row& row = kRows[index];
    const State before = s.state;
    if ((row.effects & kUnlisted) != 0)
        ++s.unlisted[static_cast<std::size_t>(before)][static_cast<std::size_t>(e.input)];
    if (before != State::banned && (bit(e.input) & kFrames) != 0 && s.heard_at != kNoTime) {
        s.heard_at = now;  // any frame counts as life
        s.suspect = false;
    }
    if ((row.effects & kBegin) != 0) begin(s, e);
    if (row.next != kSame) s.state = static_cast<State>(row.next);
    enter(s, before, now);
    if (e.input == Input::bad_frame && row.next == kSame && s.state != State::banned) s.bad_at = {s.bad_at[1], now};
    if ((row.effects & kBegin) != 0) {
        s.heard_at = now;
        if (s.state == State::resyncing) start_wait(s, now);
    }
    if (e.input == Input::open && (row.effects & kSendHello) != 0) {
        detach(s);
        s.heard_at = now;
        start_wait(s, now);
    } else if (e.input == Input::wait && s.state == before && (row.effects & kUnlisted) == 0) {
        wait_longer(s, now);
    }
    note_effects(s, e, row.effects, now);
    return {row.effects, index};
}

}  // namespace tiertwin::sync
