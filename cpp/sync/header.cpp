#include "sync/header.hpp"

#include <array>
#include <string>

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/crc32c.hpp"

namespace tiertwin::sync {
namespace {

constexpr std::size_t kCrcAt = 16;

// Over the header with the crc's own field zero, then the body.
std::uint32_t checksum(Bytes frame) {
    std::array<std::uint8_t, kHeaderBytes> head{};
    std::memcpy(head.data(), frame.data(), kHeaderBytes);
    store(head.data() + kCrcAt, std::uint32_t{0});
    return crc32c(crc32c(0, head), frame.subspan(kHeaderBytes));
}

void write_header(const Header& h, std::uint8_t* to) {
    to[0] = 0x54;
    to[1] = 0x57;
    to[2] = h.version;
    to[3] = static_cast<std::uint8_t>(h.kind);
    store(to + 4, h.table);
    store(to + 6, h.flags);
    store(to + 8, h.body_length);
    store(to + 12, h.count);
    store(to + 16, h.crc);
    store(to + 20, h.incarnation);
    store(to + 24, h.number);
    store(to + 32, h.fingerprint);
}

bool numbers_fit(const Header& h) { return h.number + h.count >= h.number; }

bool flags_fit(const Header& h) {
    const bool may_be_last = h.kind == Kind::delta || h.kind == Kind::snapshot;
    const unsigned known = may_be_last ? kFlagLast : 0U;
    return (h.flags & kCriticalFlags & ~known) == 0;
}

// DELTA numbers at least one record, SNAPSHOT says "as of"; all others have no number.
bool number_fits(const Header& h) {
    if (h.kind == Kind::delta) return h.number >= 1;
    if (h.kind == Kind::snapshot) return h.number >= 1 || h.count == 0;
    return h.number == 0;
}

}  // namespace

bool is_kind(std::uint8_t code) { return (code >= 1 && code <= 9) || code == 16 || code == 17; }

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::hello:
            return "HELLO";
        case Kind::welcome:
            return "WELCOME";
        case Kind::delta:
            return "DELTA";
        case Kind::ack:
            return "ACK";
        case Kind::snapshot:
            return "SNAPSHOT";
        case Kind::resync:
            return "RESYNC";
        case Kind::heartbeat:
            return "HEARTBEAT";
        case Kind::bye:
            return "BYE";
        case Kind::barrier:
            return "BARRIER";
        case Kind::solve:
            return "SOLVE";
        case Kind::solved:
            return "SOLVED";
    }
    return "?";
}

bool has_table(Kind kind) { return kind == Kind::delta || kind == Kind::snapshot; }

bool has_blocks(Kind kind) { return has_table(kind) || kind == Kind::solve || kind == Kind::solved; }

Verdict decode_header(Bytes frame, Header& out, const HeaderExpectation& expect) {
    if (frame.size() < kHeaderBytes) return {Reason::too_short, frame.size()};
    if (frame.size() > kMaxFrameBytes) return {Reason::too_long, kMaxFrameBytes};
    if (frame.size() % 8 != 0) return {Reason::misaligned, frame.size()};
    const std::uint8_t* at = frame.data();
    if (at[0] != 0x54 || at[1] != 0x57) return {Reason::magic, 0};
    out.version = at[2];
    if (out.version != kVersion) return {Reason::version, 2};
    if (!is_kind(at[3])) return {Reason::kind, 3};
    out.kind = static_cast<Kind>(at[3]);
    out.table = load<std::uint16_t>(at + 4);
    if (has_table(out.kind) != (out.table != 0)) return {Reason::table, 4};
    out.flags = load<std::uint16_t>(at + 6);
    if (!flags_fit(out)) return {Reason::flags, 6};
    out.body_length = load<std::uint32_t>(at + 8);
    if (out.body_length != frame.size() - kHeaderBytes) return {Reason::length, 8};
    out.count = load<std::uint32_t>(at + 12);
    out.number = load<std::uint64_t>(at + 24);
    const bool counted = has_blocks(out.kind) ? out.kind != Kind::delta || out.count != 0 : out.count == 0;
    if (!counted || !numbers_fit(out)) return {Reason::count, 12};
    out.crc = load<std::uint32_t>(at + kCrcAt);
    if (out.crc != checksum(frame)) return {Reason::checksum, kCrcAt};
    out.incarnation = load<std::uint32_t>(at + 20);
    if (expect.incarnation && *expect.incarnation != out.incarnation) return {Reason::incarnation, 20};
    if (!number_fits(out)) return {Reason::number, 24};
    out.fingerprint = load<std::uint64_t>(at + 32);
    if (has_table(out.kind) != (out.fingerprint != 0)) return {Reason::fingerprint, 32};
    return {};
}

void seal(Frame& frame, Header header) {
    if (frame.size() < kHeaderBytes || frame.size() % 8 != 0 || frame.size() > kMaxFrameBytes) {
        throw InvalidArgument("frame of " + std::to_string(frame.size()) + " bytes: expected a multiple of 8 of 40 … " +
                              std::to_string(kMaxFrameBytes) + "; cut it into several");
    }
    header.body_length = static_cast<std::uint32_t>(frame.size() - kHeaderBytes);
    header.crc = 0;
    write_header(header, frame.data());
    store(frame.data() + kCrcAt, checksum(frame));
}

void restamp(Frame& frame, std::uint32_t incarnation, bool retransmit) {
    if (frame.size() < kHeaderBytes) throw InvalidArgument("expected a sealed frame, got fewer than 40 bytes");
    std::uint8_t* at = frame.data();
    const auto flags = load<std::uint16_t>(at + 6);
    store(at + 6, static_cast<std::uint16_t>(retransmit ? flags | kFlagRetransmit : flags & ~kFlagRetransmit));
    store(at + 20, incarnation);
    store(at + kCrcAt, checksum(frame));
}

}  // namespace tiertwin::sync
