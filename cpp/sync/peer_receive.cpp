// Peer, the receiving half: one frame in, checks in the order of R35, then the session table decides.
#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "sync/peer.hpp"

namespace tiertwin::sync {
namespace {

Input input_of(Kind kind) {
    switch (kind) {
        case Kind::hello:
            return Input::hello;
        case Kind::welcome:
            return Input::welcome;
        case Kind::delta:
            return Input::delta;
        case Kind::ack:
            return Input::ack;
        case Kind::snapshot:
            return Input::snapshot;
        case Kind::resync:
            return Input::resync;
        case Kind::heartbeat:
            return Input::heartbeat;
        case Kind::bye:
            return Input::bye;
        case Kind::barrier:
            return Input::barrier;
        case Kind::solve:
        case Kind::solved:
            return Input::solver;
    }
    return Input::bad_frame;
}

}  // namespace

Received Peer::receive(Bytes frame, Time now) {
    Received out;
    Context at{out, now};
    bytes_in_ += frame.size();
    Header header;
    const Verdict verdict = decode_header(frame, header);
    if (!verdict.ok()) {
        bad(verdict, at);
    } else {
        out.kind = static_cast<std::uint8_t>(header.kind);
        out.table = header.table;
        ++frames_in_[out.kind % frames_in_.size()];
        if (admit(header, at)) {
            const Bytes body = body_of(frame);
            switch (header.kind) {
                case Kind::hello:
                    on_hello(header, body, at);
                    break;
                case Kind::welcome:
                    on_welcome(header, body, at);
                    break;
                case Kind::delta:
                    on_delta(header, frame, at);
                    break;
                case Kind::snapshot:
                    on_snapshot(header, frame, at);
                    break;
                case Kind::ack:
                    on_ack(body, at);
                    break;
                case Kind::resync:
                    on_resync(body, at);
                    break;
                case Kind::heartbeat:
                    on_heartbeat(body, at);
                    break;
                case Kind::bye:
                    on_bye(body, at);
                    break;
                case Kind::barrier:
                    on_barrier(body, at);
                    break;
                case Kind::solve:
                case Kind::solved:
                    bad({Reason::role, 3}, at);
                    break;  // no neighbour is a solver
            }
        }
    }
    if (unacknowledged_frames_ >= std::max(config_.credit_frames / 2, 1U) ||
        unacknowledged_bytes_ >= config_.credit_bytes / 2) {
        ack_due_ = true;
    }
    if (session_.attached && ack_due_) send_ack(at);
    count_out(out.reply);
    return out;
}

// ------------------------------------------------------------------------------------------------------------ refusing

void Peer::bad(Verdict verdict, Context& at) {
    at.out.accepted = false;
    at.out.verdict = verdict;
    ++refused_[verdict.reason];
    (void)step({.input = Input::bad_frame}, at);
}

// Nothing is applied; the first time we say so, the second time the session ends.
void Peer::schema_differs(Verdict verdict, Context& at) {
    at.out.verdict = verdict;
    ++refused_[verdict.reason];
    if (++schema_failures_ == 1) {
        say_resync(2, at);
        return;
    }
    say_bye(6, "the table's schema differs", at);
    at.out.changes.push_back(Change::alarm);
    ++schema_alarms_;
    (void)step({.input = Input::unreachable}, at);
}

// Session, then identity and role; a frame without a session is answered from the table alone (R21).
bool Peer::admit(const Header& header, Context& at) {
    const Kind kind = header.kind;
    const bool opens = kind == Kind::hello || kind == Kind::welcome;
    if (session_.state == State::banned || (!session_.attached && !opens && kind != Kind::bye)) {
        at.out.verdict = {Reason::session, 3};
        ++refused_[Reason::session];
        (void)step({.input = input_of(kind)}, at);
        return false;
    }
    if ((kind == Kind::hello && config_.is_child) || (kind == Kind::welcome && !config_.is_child)) {
        bad({Reason::role, 3}, at);
        return false;
    }
    if (opens || !session_.attached || header.incarnation == session_.incarnation) return true;
    if (header.incarnation > session_.incarnation) {
        if (kind == Kind::bye) return true;  // it restarted and knows no session of ours (R21)
        bad({Reason::incarnation, 20}, at);
    } else {  // of a life that ended: late, not wrong
        at.out.verdict = {Reason::incarnation, 20};
        ++refused_[Reason::incarnation];
    }
    return false;
}

void Peer::dropped(const Event& event, Context& at) {
    at.out.accepted = false;
    if (event.input == Input::delta && event.last <= session_.cursor) {
        at.out.verdict = {Reason::duplicate, 24};
        ++duplicates_;
    } else {
        at.out.verdict = {session_.attached ? Reason::gap : Reason::session, 24};
    }
    ++refused_[at.out.verdict.reason];
}

// ------------------------------------------------------------------------------------------------------------- records

void Peer::on_delta(const Header& header, Bytes frame, Context& at) {
    StateTable* table = inbox_.find(header.table);
    if (table == nullptr) return bad({Reason::table, 4}, at);
    const Event event{.input = Input::delta, .first = header.number, .last = header.last_number()};
    if ((transitions()[find_row(session_, event, at.now)].effects & kApply) == 0) {
        dropped(event, at);
        (void)step(event, at);
        return;
    }
    Bytes blocks;
    std::optional<Lease> lease;
    const Verdict verdict = check_records(*table, header, frame, blocks, lease);
    if (verdict.reason == Reason::fingerprint) return schema_differs(verdict, at);
    if (!verdict.ok()) return bad(verdict, at);
    if (lease && lease->echo > counter_) return bad({Reason::lease, kHeaderBytes + 24}, at);
    const std::uint64_t cursor = session_.cursor;
    (void)step(event, at);
    std::optional<Unit> unit;
    at.out.count = inbox_.take(*table, header, blocks, lease, cursor, unit);
    at.out.accepted = true;
    if (unacknowledged_frames_++ == 0) ack_since_ = at.now;
    unacknowledged_bytes_ += frame.size();
    if (unit) hand_on(std::move(*unit), at);
}

// A lease of a lower term or an older epoch than the newest handed on is not obeyed, so not handed on (R18, law 7).
void Peer::hand_on(Unit unit, Context& at) {
    if (unit.lease) {
        const Lease& lease = *unit.lease;
        if (lease.epoch < newest_lease_ || term_of(lease.epoch) < term_) {
            at.out.count = 0;
            at.out.verdict = {Reason::lower_term, kHeaderBytes};
            ++stale_leases_;
            return;
        }
        if (term_of(lease.epoch) > term_) {
            term_ = session_.term = term_of(lease.epoch);
            at.out.changes.push_back(Change::term);
        }
        newest_lease_ = lease.epoch;
        at.out.epoch = base_epoch_of(lease.epoch);
        at.out.grant = grant_of(lease);
    }
    at.out.units.push_back(std::move(unit));
}

Grant Peer::grant_of(const Lease& lease) const {
    const Time from = heartbeat_sent(lease.echo);
    return {lease, from < 0 ? 0 : from + lease.validity_ms * kMillisecond};
}

void Peer::on_snapshot(const Header& header, Bytes frame, Context& at) {
    SnapshotPrefix prefix;
    if (const Verdict v = decode(body_of(frame), prefix); !v.ok()) return bad(in_body(v), at);
    const Event event{.input = Input::snapshot, .last = header.number, .index = prefix.chunk, .count = prefix.chunks};
    if ((transitions()[find_row(session_, event, at.now)].effects & kStage) == 0) {
        dropped(event, at);
        (void)step(event, at);
        return;
    }
    const Verdict verdict = inbox_.stage(header, frame, prefix.chunk == 0);
    if (verdict.reason == Reason::fingerprint) return schema_differs(verdict, at);
    if (!verdict.ok() && verdict.reason != Reason::digest) return bad(verdict, at);
    (void)step(event, at);
    at.out.accepted = true;
    at.out.count = header.count;
    if (!verdict.ok()) {
        at.out.accepted = false;
        at.out.count = 0;
        at.out.verdict = verdict;
        ++refused_[verdict.reason];
        (void)step({.input = Input::complete, .last = header.number, .agree = false}, at);
    } else if (inbox_.staged()) {
        (void)step({.input = Input::complete, .last = header.number}, at);
        std::vector<Unit> units = inbox_.swap();
        at.out.changes.push_back(Change::swapped);
        ++swaps_;
        for (Unit& unit : units) hand_on(std::move(unit), at);
    }
}

// ----------------------------------------------------------------------------------------------------- the peer's word

void Peer::on_ack(Bytes body, Context& at) {
    Ack ack;
    if (const Verdict v = decode(body, ack); !v.ok()) return bad(in_body(v), at);
    if (std::max(ack.durable, ack.applied_at_root) > ack.received)
        return bad({Reason::body_value, kHeaderBytes + 8}, at);
    const std::uint64_t before = session_.acked;
    const Outcome outcome = step({.input = Input::ack, .last = ack.received}, at);
    if (outcome.has(kBad)) return bad({Reason::body_value, kHeaderBytes}, at);
    if (!outcome.has(kTruncate)) return;
    at.out.accepted = true;
    outbox_.take_credit(ack.credit_frames, ack.credit_bytes);
    outbox_.acknowledge(ack.received, ack.durable);
    note_levels(ack);
    pump(at, ack.received > before, false);
}

void Peer::on_resync(Bytes body, Context& at) {
    Resync resync;
    if (const Verdict v = decode(body, resync); !v.ok()) return bad(in_body(v), at);
    const Outcome outcome =
        step({.input = Input::resync, .first = resync.cursor, .index = resync.chunk, .reason = resync.reason}, at);
    if (outcome.has(kBad)) return bad({Reason::body_value, kHeaderBytes}, at);
    if (outcome.has(kSendFrom)) outbox_.send_from(resync.cursor);
    if (outcome.has(kSendChunks)) outbox_.send_chunks(resync.chunk);
    at.out.accepted = !outcome.has(kDrop);
    pump(at, at.out.accepted, false);
}

void Peer::on_heartbeat(Bytes body, Context& at) {
    Heartbeat beat;
    if (const Verdict v = decode(body, beat); !v.ok()) return bad(in_body(v), at);
    if (beat.echo > counter_) return bad({Reason::body_value, kHeaderBytes + 4}, at);
    Event event{.input = Input::heartbeat, .first = beat.cursor, .last = beat.last_number};
    const bool newest = beat.counter > beaten_;
    beaten_ = std::max(beaten_, beat.counter);
    if (newest && session_.state == State::live && beat.last_number == session_.cursor) {
        event.agree = beat.digest == in_digest();
    }
    const Time echoed = heartbeat_sent(beat.echo);
    if (newest && echoed >= 0) event.echoed_at = echoed;
    const Outcome outcome = step(event, at);
    at.out.accepted = true;
    if (beat.counter <= heard_.counter) return;  // overtaken
    heard_ = beat;
    heard_beat_at_ = at.now;
    at.out.epoch = base_epoch_of(beat.epoch);
    if (echoed >= 0) rtt_ = at.now - echoed;
    // A lease may have waited for something to echo.
    if (outbox_.held_units() > 0 || outcome.has(kSendSnapshot)) pump(at, false, false);
}

void Peer::on_bye(Bytes body, Context& at) {
    Bye bye;
    if (const Verdict v = decode(body, bye); !v.ok()) return bad(in_body(v), at);
    at.out.accepted = true;
    at.out.changes.push_back(Change::bye);
    (void)step({.input = Input::bye}, at);
}

void Peer::on_barrier(Bytes body, Context& at) {
    Barrier barrier;
    if (!config_.virtual_clock) return bad({Reason::clock, 3}, at);
    if (const Verdict v = decode(body, barrier); !v.ok()) return bad(in_body(v), at);
    const Outcome outcome = step({.input = Input::barrier}, at);
    if (!outcome.has(kHandOn)) return;
    at.out.accepted = true;
    at.out.epoch = static_cast<std::int64_t>(barrier.epoch);
    at.out.changes.push_back(Change::barrier);
}

}  // namespace tiertwin::sync
