// Peer, attaching: HELLO and WELCOME begin a session; each side goes on where the other stands, or sends a snapshot.
#include <algorithm>

#include "base/error.hpp"
#include "sync/peer.hpp"

namespace tiertwin::sync {

void Peer::on_hello(const Header& header, Bytes body, Context& at) {
    Hello hello;
    if (const Verdict v = decode(body, hello); !v.ok()) return bad(in_body(v), at);
    if (hello.version_min > kVersion || hello.version_max < kVersion)
        return say_bye(4, "this side speaks version 1", at);
    const std::uint32_t next_term = std::max(term_, term_of(hello.epoch)) + 1;
    if (next_term > kMaxTerm) return bad({Reason::term, kHeaderBytes + 48}, at);
    const std::uint32_t known = session_.incarnation;
    const std::uint64_t stream = session_.stream;
    const Outcome outcome = step({.input = Input::hello,
                                  .first = hello.first,
                                  .last = hello.last,
                                  .stream = hello.stream_id,
                                  .incarnation = header.incarnation},
                                 at);
    if (!outcome.has(kBegin)) {
        at.out.verdict = {Reason::incarnation, 20};
        return;
    }
    at.out.accepted = true;
    if (session_.stream != stream) in_durable_ = in_at_root_ = 0;
    const bool restarted = known != 0 && header.incarnation > known;
    if (restarted) at.out.changes.push_back(Change::restarted);
    if (known != header.incarnation) beaten_ = 0;
    outbox_.begin(known != header.incarnation);
    outbox_.take_credit(config_.credit_frames, config_.credit_bytes);
    session_.term = term_ = next_term;
    at.out.changes.push_back(Change::term);
    session_.log_first = outbox_.log_first();
    const bool ours = hello.peer_stream_id == config_.stream_id;
    const Outcome offer = step({.input = Input::offer, .first = hello.peer_cursor, .agree = ours}, at);
    if (offer.has(kSendFrom)) outbox_.send_from(hello.peer_cursor);
    const Welcome welcome{.mode_up = static_cast<std::uint8_t>(outcome.has(kWelcomeResume) ? 1 : 2),
                          .mode_down = static_cast<std::uint8_t>(offer.has(kSendFrom) ? 1 : 2),
                          .flags = config_.durable ? 1U : 0U,
                          .stream_id = config_.stream_id,
                          .first = outbox_.log_first(),
                          .last = outbox_.last(),
                          .peer_stream_id = session_.stream,
                          .peer_cursor = session_.cursor,
                          .epoch = make_epoch(term_, epoch),
                          .credit_frames = config_.credit_frames,
                          .credit_bytes = config_.credit_bytes,
                          .heartbeat_ms = config_.heartbeat_ms};
    at.out.reply.push_back(encode(welcome, config_.incarnation));
    if (inbox_.empty() && session_.state == State::resyncing) {
        (void)step({.input = Input::complete, .last = session_.cursor}, at);  // nothing to come
    }
    send_heartbeat(at);
    pump(at, true, false);
}

void Peer::on_welcome(const Header& header, Bytes body, Context& at) {
    Welcome welcome;
    if (const Verdict v = decode(body, welcome); !v.ok()) return bad(in_body(v), at);
    if (welcome.peer_stream_id != config_.stream_id) {  // it answers a HELLO of an earlier life of ours
        at.out.verdict = {Reason::session, kHeaderBytes + 32};
        ++refused_[Reason::session];
        return;
    }
    const std::uint32_t known = session_.incarnation;
    const Outcome outcome = step({.input = Input::welcome,
                                  .first = welcome.first,
                                  .last = welcome.last,
                                  .stream = welcome.stream_id,
                                  .incarnation = header.incarnation,
                                  .term = term_of(welcome.epoch),
                                  .agree = welcome.mode_down == 1},
                                 at);
    if (!outcome.has(kBegin)) {
        at.out.verdict = {Reason::lower_term, 48 + kHeaderBytes};
        ++refused_[Reason::lower_term];
        return;
    }
    at.out.accepted = true;
    if (known != 0 && header.incarnation > known) at.out.changes.push_back(Change::restarted);
    if (known != header.incarnation) beaten_ = 0;
    outbox_.begin(known != header.incarnation);
    outbox_.take_credit(welcome.credit_frames, welcome.credit_bytes);
    outbox_.keep_until_durable(config_.durable && welcome.flags == 1);
    outdone_ = outdone_ || (keeps_log() && welcome.peer_cursor > session_.sent);  // what was numbered since is not it
    config_.heartbeat_ms = std::clamp(welcome.heartbeat_ms, 1U, 500U);
    term_ = term_of(welcome.epoch);
    at.out.epoch = base_epoch_of(welcome.epoch);
    at.out.changes.push_back(Change::term);
    session_.log_first = outbox_.log_first();
    const Outcome offer =
        step({.input = Input::offer, .first = welcome.peer_cursor, .agree = welcome.mode_up == 1}, at);
    if (offer.has(kSendFrom)) outbox_.send_from(welcome.peer_cursor);
    if (inbox_.empty() && session_.state == State::resyncing) {
        (void)step({.input = Input::complete, .last = session_.cursor}, at);
    }
    send_heartbeat(at);
    pump(at, true, false);
}

}  // namespace tiertwin::sync
