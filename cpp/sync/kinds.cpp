#include "sync/kinds.hpp"

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"

namespace tiertwin::sync {
namespace {

constexpr Verdict kGood{};
Verdict bad(Reason reason, std::size_t at) { return {reason, at}; }

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF).
bool is_utf8(const std::uint8_t* s, std::size_t size) {
    for (std::size_t i = 0; i < size;) {
        const std::uint8_t lead = s[i];
        const std::size_t extra = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || i + extra >= size) return false;
        for (std::size_t k = 1; k <= extra; ++k) {
            if ((s[i + k] & 0xc0U) != 0x80U) return false;
        }
        if ((lead == 0xe0 && s[i + 1] < 0xa0) || (lead == 0xed && s[i + 1] > 0x9f) ||
            (lead == 0xf0 && s[i + 1] < 0x90) || (lead == 0xf4 && s[i + 1] > 0x8f)) {
            return false;
        }
        i += extra + 1;
    }
    return true;
}

bool term_fits(std::uint64_t epoch) { return epoch >> 32U <= kMaxTerm; }
bool stream_fits(std::uint64_t first, std::uint64_t last) { return first >= 1 && last >= first - 1; }

// A body under construction, behind its 40 free bytes.
Frame begin(std::size_t body) {
    Frame frame;
    frame.reserve(kHeaderBytes + body);
    frame.resize(kHeaderBytes);
    return frame;
}

// What we would refuse from a peer we do not send either.
template <typename Body>
Frame finish(Frame frame, Kind kind, std::uint32_t incarnation) {
    Body again;
    const Verdict verdict = decode(body_of(frame), again);
    if (!verdict.ok()) {
        throw InvalidArgument(std::string(name_of(kind)) + ": a field is out of range (" +
                              std::string(name_of(verdict.reason)) + " at body offset " + std::to_string(verdict.at) +
                              ")");
    }
    seal(frame, Header{.kind = kind, .incarnation = incarnation});
    return frame;
}

}  // namespace

Verdict decode(Bytes body, Hello& out) {
    if (body.size() != kHelloBytes) return bad(Reason::body_length, 0);
    const std::uint8_t* at = body.data();
    out = {load<std::uint16_t>(at),      load<std::uint16_t>(at + 2),  load<std::uint32_t>(at + 4),
           load<std::uint64_t>(at + 8),  load<std::uint64_t>(at + 16), load<std::uint64_t>(at + 24),
           load<std::uint64_t>(at + 32), load<std::uint64_t>(at + 40), load<std::uint64_t>(at + 48)};
    if (out.version_min > out.version_max) return bad(Reason::body_value, 0);
    if (out.flags > 1) return bad(Reason::padding, 4);
    if (!stream_fits(out.first, out.last)) return bad(Reason::body_value, 16);
    if (!term_fits(out.epoch)) return bad(Reason::term, 48);
    return kGood;
}

Frame encode(const Hello& b, std::uint32_t incarnation) {
    Frame frame = begin(kHelloBytes);
    put(frame, b.version_min);
    put(frame, b.version_max);
    put(frame, b.flags);
    for (const std::uint64_t field : {b.stream_id, b.first, b.last, b.peer_stream_id, b.peer_cursor, b.epoch}) {
        put(frame, field);
    }
    return finish<Hello>(std::move(frame), Kind::hello, incarnation);
}

Verdict decode(Bytes body, Welcome& out) {
    if (body.size() != kWelcomeBytes) return bad(Reason::body_length, 0);
    const std::uint8_t* at = body.data();
    out = {load<std::uint16_t>(at),
           at[2],
           at[3],
           load<std::uint32_t>(at + 4),
           load<std::uint64_t>(at + 8),
           load<std::uint64_t>(at + 16),
           load<std::uint64_t>(at + 24),
           load<std::uint64_t>(at + 32),
           load<std::uint64_t>(at + 40),
           load<std::uint64_t>(at + 48),
           load<std::uint32_t>(at + 56),
           load<std::uint32_t>(at + 60),
           load<std::uint32_t>(at + 64)};
    if (out.mode_up < 1 || out.mode_up > 2) return bad(Reason::body_value, 2);
    if (out.mode_down < 1 || out.mode_down > 2) return bad(Reason::body_value, 3);
    if (out.flags > 1) return bad(Reason::padding, 4);
    if (!stream_fits(out.first, out.last)) return bad(Reason::body_value, 16);
    if (!term_fits(out.epoch)) return bad(Reason::term, 48);
    if (out.heartbeat_ms == 0) return bad(Reason::body_value, 64);
    if (load<std::uint32_t>(at + 68) != 0) return bad(Reason::padding, 68);
    return kGood;
}

Frame encode(const Welcome& b, std::uint32_t incarnation) {
    Frame frame = begin(kWelcomeBytes);
    put(frame, b.version);
    put(frame, b.mode_up);
    put(frame, b.mode_down);
    put(frame, b.flags);
    for (const std::uint64_t field : {b.stream_id, b.first, b.last, b.peer_stream_id, b.peer_cursor, b.epoch}) {
        put(frame, field);
    }
    for (const std::uint32_t field : {b.credit_frames, b.credit_bytes, b.heartbeat_ms, 0U}) put(frame, field);
    return finish<Welcome>(std::move(frame), Kind::welcome, incarnation);
}

Verdict decode(Bytes body, Ack& out) {
    if (body.size() != kAckBytes) return bad(Reason::body_length, 0);
    const std::uint8_t* at = body.data();
    out = {load<std::uint64_t>(at), load<std::uint64_t>(at + 8), load<std::uint64_t>(at + 16),
           load<std::uint32_t>(at + 24), load<std::uint32_t>(at + 28)};
    return kGood;
}

Frame encode(const Ack& b, std::uint32_t incarnation) {
    Frame frame = begin(kAckBytes);
    for (const std::uint64_t field : {b.received, b.durable, b.applied_at_root}) put(frame, field);
    put(frame, b.credit_frames);
    put(frame, b.credit_bytes);
    return finish<Ack>(std::move(frame), Kind::ack, incarnation);
}

Verdict decode(Bytes body, Resync& out) {
    if (body.size() != kResyncBytes) return bad(Reason::body_length, 0);
    const std::uint8_t* at = body.data();
    out = {load<std::uint64_t>(at), load<std::uint16_t>(at + 8), load<std::uint32_t>(at + 12)};
    if (out.reason < 1 || out.reason > 4) return bad(Reason::body_value, 8);
    if (load<std::uint16_t>(at + 10) != 0) return bad(Reason::padding, 10);
    return kGood;
}

Frame encode(const Resync& b, std::uint32_t incarnation) {
    Frame frame = begin(kResyncBytes);
    put(frame, b.cursor);
    put(frame, b.reason);
    put(frame, std::uint16_t{0});
    put(frame, b.chunk);
    return finish<Resync>(std::move(frame), Kind::resync, incarnation);
}

Verdict decode(Bytes body, Heartbeat& out) {
    if (body.size() != kHeartbeatBytes) return bad(Reason::body_length, 0);
    const std::uint8_t* at = body.data();
    out = {load<std::uint32_t>(at),      load<std::uint32_t>(at + 4),
           load<std::uint64_t>(at + 8),  load<std::uint64_t>(at + 16),
           load<std::uint64_t>(at + 24), load<std::uint64_t>(at + 32),
           load<std::uint32_t>(at + 40), at[44]};
    if (!term_fits(out.epoch)) return bad(Reason::term, 32);
    if (out.state < 1 || out.state > 3) return bad(Reason::body_value, 44);
    if (!all_zero(at + 45, 3)) return bad(Reason::padding, 45);
    return kGood;
}

Frame encode(const Heartbeat& b, std::uint32_t incarnation) {
    Frame frame = begin(kHeartbeatBytes);
    put(frame, b.counter);
    put(frame, b.echo);
    for (const std::uint64_t field : {b.cursor, b.last_number, b.digest, b.epoch}) put(frame, field);
    put(frame, b.age_ms);
    put(frame, std::uint32_t{b.state});  // and its three zero bytes
    return finish<Heartbeat>(std::move(frame), Kind::heartbeat, incarnation);
}

Verdict decode(Bytes body, Bye& out) {
    if (body.size() != kByeBytes) return bad(Reason::body_length, 0);
    const std::uint8_t* at = body.data();
    out.reason = load<std::uint16_t>(at);
    out.text.clear();
    if (out.reason < 1 || out.reason > 6) return bad(Reason::body_value, 0);
    const std::size_t size = load<std::uint16_t>(at + 2);
    if (size > kByeText) return bad(Reason::body_value, 2);
    if (load<std::uint32_t>(at + 4) != 0) return bad(Reason::padding, 4);
    if (!is_utf8(at + 8, size)) return bad(Reason::text, 8);
    if (!all_zero(at + 8 + size, kByeText - size)) return bad(Reason::padding, 8 + size);
    out.text.assign(reinterpret_cast<const char*>(at + 8), size);
    return kGood;
}

Frame encode(const Bye& b, std::uint32_t incarnation) {
    if (b.text.size() > kByeText) {
        throw InvalidArgument("BYE: expected a text of at most 200 bytes, got " + std::to_string(b.text.size()));
    }
    Frame frame = begin(kByeBytes);
    put(frame, b.reason);
    put(frame, static_cast<std::uint16_t>(b.text.size()));
    put(frame, std::uint32_t{0});
    frame.insert(frame.end(), b.text.begin(), b.text.end());
    frame.resize(kHeaderBytes + kByeBytes);
    return finish<Bye>(std::move(frame), Kind::bye, incarnation);
}

Verdict decode(Bytes body, Barrier& out) {
    if (body.size() != kBarrierBytes) return bad(Reason::body_length, 0);
    out = {load<std::uint64_t>(body.data())};
    return term_fits(out.epoch) ? kGood : bad(Reason::term, 0);
}

Frame encode(const Barrier& b, std::uint32_t incarnation) {
    Frame frame = begin(kBarrierBytes);
    put(frame, b.epoch);
    return finish<Barrier>(std::move(frame), Kind::barrier, incarnation);
}

}  // namespace tiertwin::sync
