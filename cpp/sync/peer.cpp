#include "sync/peer.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::sync {
namespace {

constexpr Time kAckEvery = 50 * kMillisecond;

}  // namespace

Peer::Peer(const AttributeRegistry& registry, const PeerConfig& config)
    : epoch(config.epoch),
      registry_(&registry),
      config_(config),
      outbox_(config.frame_bytes, config.snapshot_every_ms * kMillisecond),
      term_(config.term) {
    if (config.incarnation == 0 || config.stream_id == 0) {
        throw InvalidArgument("Expected an incarnation and a stream id above 0 (0 means: none)");
    }
    if (config.heartbeat_ms == 0 || config.heartbeat_ms > 500) {
        throw InvalidArgument("Expected heartbeat_ms in 1 … 500 (a peer is suspect after 1000), got " +
                              std::to_string(config.heartbeat_ms));
    }
    if (config.frame_bytes < 256 || config.frame_bytes > kMaxFrameBytes) {
        throw InvalidArgument("Expected frame_bytes in 256 … 1000000, got " + std::to_string(config.frame_bytes));
    }
    outbox_.take_credit(config.credit_frames, config.credit_bytes);
    if (keeps_log()) outbox_.keep_log();
    session_.term = config.term;
}

void Peer::add_out(StateTable& table) {
    seal(table);
    outbox_.add_table(table);
}

void Peer::add_in(StateTable& table) {
    seal(table);
    inbox_.add_table(table);
}

void Peer::add_unit_out(std::uint16_t table, const std::vector<AttributeId>& attributes, index_t rows) {
    outbox_.add_units(ledger(table, attributes, rows));
}

void Peer::add_unit_in(std::uint16_t table, const std::vector<AttributeId>& attributes, index_t rows) {
    inbox_.add_units(ledger(table, attributes, rows));
}

std::unique_ptr<StateTable> Peer::ledger(std::uint16_t table, const std::vector<AttributeId>& attributes,
                                         index_t rows) const {
    auto made = std::make_unique<StateTable>(*registry_, table, attributes, rows);
    seal(*made);
    return made;
}

void Peer::seal(StateTable& table) const {
    if (config_.border) table.seal(config_.border->most, config_.border->declared);
}

// --------------------------------------------------------------------------------------------------------------- calls

std::vector<Frame> Peer::connect(Time now) {
    if (!config_.is_child) throw InvalidArgument("Only a child opens a session; a parent waits for its HELLO");
    Received out;
    Context at{out, now};
    (void)step({.input = Input::open}, at);
    count_out(out.reply);
    return std::move(out.reply);
}

std::vector<Frame> Peer::publish(Time now) {
    Received out;
    Context at{out, now};
    pump(at, false, true);
    count_out(out.reply);
    return std::move(out.reply);
}

std::vector<Frame> Peer::send_unit(std::uint16_t table, UnitRecords records, const std::optional<LeaseTerms>& lease,
                                   Time now) {
    outbox_.hold(table, std::move(records), lease, now);
    Received out;
    Context at{out, now};
    pump(at, false, false);
    count_out(out.reply);
    return std::move(out.reply);
}

Received Peer::tick(Time now) {
    Received out;
    out.accepted = true;
    Context at{out, now};
    if (config_.is_child && session_.state == State::banned && now >= session_.banned_until) {
        (void)step({.input = Input::open}, at);  // a parent that is banned waits for our HELLO
    }
    if (session_.heard_at != kNoTime) {
        if (now >= session_.heard_at + kDeadAfter) {
            (void)step({.input = Input::death}, at);
        } else if (now >= session_.heard_at + kSuspectAfter && !session_.suspect) {
            (void)step({.input = Input::silence}, at);
        }
    }
    if (now >= session_.wait_at) (void)step({.input = Input::wait}, at);
    const bool again = now >= session_.retry_at;
    if (again) (void)step({.input = Input::retry}, at);
    if (session_.attached) {
        if (ack_due_ || unacknowledged_frames_ > 0) send_ack(at);
        if (now >= beat_at_) {
            send_heartbeat(at);
            if (tells_durable()) send_ack(at);  // one that was lost is said again; nobody asks for it
        }
        pump(at, again, false);
    }
    count_out(out.reply);
    return out;
}

Time Peer::next_tick() const {
    Time next = std::min(session_.wait_at, session_.retry_at);
    if (session_.heard_at != kNoTime) {
        next = std::min(next, session_.heard_at + (session_.suspect ? kDeadAfter : kSuspectAfter));
    }
    if (session_.attached) next = std::min(next, beat_at_);
    if (session_.state == State::banned && config_.is_child) next = std::min(next, session_.banned_until);
    if (session_.attached && unacknowledged_frames_ > 0) next = std::min(next, ack_since_ + kAckEvery);
    return next;
}

std::vector<Frame> Peer::barrier(std::uint64_t barrier_epoch) {
    if (!config_.virtual_clock) throw InvalidArgument("A barrier exists under the virtual clock only");
    std::vector<Frame> frames;
    if (session_.attached) frames.push_back(encode(Barrier{barrier_epoch}, config_.incarnation));
    count_out(frames);
    return frames;
}

std::vector<Frame> Peer::bye(std::uint16_t reason, const std::string& text, Time now) {
    Received out;
    Context at{out, now};
    say_bye(reason, text.c_str(), at);
    (void)step({.input = Input::unreachable}, at);
    count_out(out.reply);
    return std::move(out.reply);
}

Received Peer::lost(Time now) {
    Received out;
    out.accepted = true;
    Context at{out, now};
    (void)step({.input = Input::unreachable}, at);
    count_out(out.reply);
    return out;
}

std::uint32_t Peer::peer_age(Time now) const {
    if (heard_.counter == 0) return kUnknownAge;
    const auto since = static_cast<std::uint64_t>(std::max<Time>(now - heard_beat_at_, 0) / kMillisecond);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(heard_.age_ms + since, kUnknownAge));
}

Time Peer::heartbeat_sent(std::uint32_t counter) const {
    if (counter == 0 || counter > counter_ || counter_ - counter >= beats_.size()) return -1;
    return beats_[counter % beats_.size()];
}

// ------------------------------------------------------------------------------------------------------------- effects

// Moves the session, reports what changed, and carries out every effect that needs nothing of the frame's body.
Outcome Peer::step(const Event& event, Context& at) {
    const State before = session_.state;
    const bool suspected = session_.suspect;
    session_.log_first = outbox_.log_first();
    const Outcome outcome = apply(session_, event, at.now);
    if (outcome.has(kBegin)) begin_session(at);
    if (session_.state != before) {
        static constexpr std::array kEntered{Change{},          Change::live, Change::gapped,
                                             Change::resyncing, Change::lost, Change::banned};
        if (session_.state != State::fresh)
            at.out.changes.push_back(kEntered[static_cast<std::size_t>(session_.state)]);
    }
    if (session_.suspect && !suspected) at.out.changes.push_back(Change::suspect);
    if (!session_.suspect && suspected && session_.attached) at.out.changes.push_back(Change::well);
    if (outcome.has(kAlarm)) {
        at.out.changes.push_back(Change::alarm);
        ++(event.input == Input::heartbeat ? digest_alarms_
           : event.input == Input::resync  ? schema_alarms_
                                           : snapshot_alarms_);
    }
    carry_out(event.input, outcome.effects, at);
    return outcome;
}

void Peer::carry_out(Input input, std::uint32_t effects, Context& at) {
    const auto has = [effects](Effect effect) { return (effects & effect) != 0; };
    if (has(kByeFenced)) say_bye(3, "a higher incarnation of you is known", at);
    if (has(kByeUnknown)) say_bye(2, "no session: say HELLO", at);
    if (has(kByeBanned)) say_bye(5, "three bad frames in a minute", at);
    if (has(kByeFailed)) say_bye(2, "the snapshot failed three times: say HELLO", at);
    if (has(kSendHello)) at.out.reply.push_back(hello());
    if (has(kAckNow)) ack_due_ = true;
    if (has(kResyncGap)) say_resync(1, at);
    if (has(kResyncSnapshot)) say_resync(3, at);
    if (has(kResyncChunk)) say_resync(input == Input::wait && session_.staged == 0 ? 3 : 4, at);
    if (has(kSendSnapshot)) outbox_.want_snapshot();
    if (has(kRetransmit)) outbox_.send_again(session_);
}

void Peer::say_bye(std::uint16_t reason, const char* text, Context& at) {
    at.out.reply.push_back(encode(Bye{reason, text}, config_.incarnation));
}

void Peer::say_resync(std::uint16_t reason, Context& at) {
    at.out.reply.push_back(
        encode(Resync{.cursor = session_.cursor, .reason = reason, .chunk = reason == 4 ? session_.staged : 0},
               config_.incarnation));
}

void Peer::begin_session(Context& at) {
    unacknowledged_frames_ = 0;
    unacknowledged_bytes_ = 0;
    ack_due_ = false;
    schema_failures_ = 0;
    heard_ = Heartbeat{.counter = 0};
    beat_at_ = at.now;  // at once: the peer learns our cursor, and leases have something to echo
    at.out.changes.push_back(Change::attached);
}

void Peer::send_heartbeat(Context& at) {
    beats_[++counter_ % beats_.size()] = at.now;
    const Heartbeat beat{.counter = counter_,
                         .echo = heard_.counter,
                         .cursor = session_.cursor,
                         .last_number = outbox_.last(),
                         .digest = outbox_.digest(),
                         .epoch = make_epoch(term_, epoch),
                         .age_ms = age_ms,
                         .state = health};
    at.out.reply.push_back(encode(beat, config_.incarnation));
    beat_at_ = at.now + config_.heartbeat_ms * kMillisecond;
}

void Peer::send_ack(Context& at) {
    ack_due_ = false;
    unacknowledged_frames_ = 0;
    unacknowledged_bytes_ = 0;
    const Ack ack{.received = session_.cursor,  // a level that is not tracked is 0
                  .durable = std::min(in_durable_, session_.cursor),
                  .applied_at_root = std::min(in_at_root_, session_.cursor),
                  .credit_frames = config_.credit_frames,
                  .credit_bytes = config_.credit_bytes};
    at.out.reply.push_back(encode(ack, config_.incarnation));
}

void Peer::pump(Context& at, bool progress, bool samples) {
    outbox_.pump(session_, identity(), at.now, progress, samples, snapshots_open, at.out.reply);
}

Frame Peer::hello() const {
    const Hello body{.flags = config_.durable ? 1U : 0U,
                     .stream_id = config_.stream_id,
                     .first = outbox_.log_first(),
                     .last = outbox_.last(),
                     .peer_stream_id = session_.whole ? session_.stream : 0,  // half a resync is nothing to go on from
                     .peer_cursor = session_.whole ? session_.cursor : 0,
                     .epoch = make_epoch(term_, epoch)};
    return encode(body, config_.incarnation);
}

Identity Peer::identity() const { return {config_.incarnation, term_, heard_.counter}; }

void Peer::count_out(const std::vector<Frame>& frames) {
    for (const Frame& frame : frames) {
        ++frames_out_[frame[3] % frames_out_.size()];
        bytes_out_ += frame.size();
    }
}

}  // namespace tiertwin::sync
