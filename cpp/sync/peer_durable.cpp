// Peer with a log (R10 to R12): the child's stream leaves when it is on the child's disk, and is acknowledged as
// durable when it is on the parent's; both go on from their logs after a restart.
//
//   child     numbered ── take_unlogged() ──▸ log ── released() ──▸ sent ── ACK(durable) ──▸ settled()
//   parent    received ── the frame itself ─▸ log ── logged() ────▸ ACK(durable)
//
// Only the stream upwards is kept: what goes down are queries and leases, and a new life decides anew.
#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "sync/peer.hpp"

namespace tiertwin::sync {

std::vector<Frame> Peer::released(std::uint64_t number, Time now) {
    if (!keeps_log()) throw InvalidArgument("Only a child with a log waits for it; make the peer with durable=true");
    outbox_.release(number);
    Received out;
    Context at{out, now};
    pump(at, false, false);
    count_out(out.reply);
    return std::move(out.reply);
}

std::vector<Frame> Peer::logged(std::uint64_t stream, std::uint64_t durable, std::uint64_t at_root, Time now) {
    if (!tells_durable())
        throw InvalidArgument("Only a parent with a log acknowledges; make the peer with durable=true");
    if (stream == 0 || stream != session_.stream) return {};
    Received out;
    Context at{out, now};
    in_at_root_ = std::max(in_at_root_, std::min(at_root, session_.cursor));
    durable = std::min(durable, session_.cursor);
    if (durable > in_durable_) {
        in_durable_ = durable;
        if (session_.attached) send_ack(at);
    }
    count_out(out.reply);
    return std::move(out.reply);
}

void Peer::note_levels(const Ack& ack) {
    out_durable_ = std::max(out_durable_, ack.durable);
    out_at_root_ = std::max(out_at_root_, ack.applied_at_root);
    settled_ = std::max(settled_, outbox_.by_durable() ? ack.durable : ack.received);
}

void Peer::number_pending() {
    if (!keeps_log() || session_.attached) {
        throw InvalidArgument("Only a child with a log numbers without a session, and only while it has none");
    }
    outbox_.number_all(identity());
    outbox_.trim();
}

Received Peer::resume_in(std::uint64_t stream, std::uint64_t cursor) {
    if (stream == 0 || session_.stream != 0 || session_.state != State::fresh) {
        throw InvalidArgument("Expected the stream of a peer that was not heard yet; resume comes before any session");
    }
    session_.stream = stream;
    session_.cursor = in_durable_ = cursor;
    session_.whole = true;
    Received out;
    out.accepted = true;
    out.units = inbox_.held();
    return out;
}

void Peer::resume_out(std::uint64_t last, std::vector<Frame> frames) {
    if (!keeps_log()) throw InvalidArgument("Only a child with a log resumes its stream; make it with durable=true");
    outbox_.resume(last, std::move(frames));
    session_.sent = last;  // by an earlier life, perhaps
    session_.log_first = outbox_.log_first();
}

}  // namespace tiertwin::sync
