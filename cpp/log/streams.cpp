#include "log/streams.hpp"

#include <algorithm>

#include "sync/codec_bytes.hpp"

namespace tiertwin::log {
namespace {

using sync::Header;
using sync::Kind;

bool names_stream(Kind kind) { return kind == Kind::hello || kind == Kind::welcome; }

}  // namespace

std::uint64_t stream_of(Bytes frame) {
    constexpr std::size_t kAt = sync::kHeaderBytes + 8;
    return frame.size() < kAt + 8 ? 0 : sync::load<std::uint64_t>(frame.data() + kAt);
}

Streams::Streams(std::uint64_t stream, std::uint64_t next_number, std::uint64_t spilled, std::uint64_t drained)
    : stream_(stream), next_number_(next_number), spilled_(spilled), drained_(drained) {}

Fault Streams::judge(const Link& link, const Header& header, Bytes frame) const {
    if (link.kind == RecordKind::mark) return Fault::ok;
    return link.peer == 0 ? judge_own(link, header) : judge_peer(link, header, frame);
}

Fault Streams::judge_own(const Link& link, const Header& header) const {
    if (header.kind != Kind::delta) return Fault::kind;
    if (link.kind == RecordKind::event) return header.number == spilled_ + 1 ? Fault::ok : Fault::events;
    if (header.number != next_number_) return Fault::number;
    return link.from_spill() && header.count > spilled_ - drained_ ? Fault::events : Fault::ok;
}

Fault Streams::judge_peer(const Link& link, const Header& header, Bytes frame) const {
    if (names_stream(header.kind)) return stream_of(frame) == 0 ? Fault::stream : Fault::ok;
    if (!sync::has_table(header.kind)) return Fault::kind;
    const Cursor now = of(link.peer);
    if (now.stream == 0) return Fault::stream;
    if (header.kind == Kind::snapshot) return header.number < now.cursor ? Fault::number : Fault::ok;
    const bool fits = header.number <= now.cursor + 1 && header.last_number() > now.cursor;
    return fits ? Fault::ok : Fault::number;
}

void Streams::take(const Link& link, const Header& header, Bytes frame) {
    if (link.kind == RecordKind::mark) return;
    if (link.kind == RecordKind::event) {
        spilled_ += header.count;
    } else if (link.peer == 0) {
        next_number_ += header.count;
        if (link.from_spill()) drained_ += header.count;
    } else if (names_stream(header.kind)) {
        const std::uint64_t stream = stream_of(frame);
        if (of(link.peer).stream != stream) set({link.peer, stream, 0});
    } else if (header.kind == Kind::delta) {
        slots_[link.peer].cursor = header.last_number();
    } else if (header.last()) {
        slots_[link.peer].cursor = header.number;
    }
}

void Streams::set(const Cursor& cursor) {
    if (slots_.size() <= cursor.peer) slots_.resize(std::size_t{cursor.peer} + 1);
    slots_[cursor.peer] = cursor;
}

Cursor Streams::of(std::uint16_t peer) const {
    if (peer == 0) return {0, stream_, next_number_ - 1};
    if (peer >= slots_.size()) return {peer, 0, 0};
    Cursor found = slots_[peer];
    found.peer = peer;
    return found;
}

std::vector<Cursor> Streams::peers() const {
    std::vector<Cursor> out;
    std::ranges::copy_if(slots_, std::back_inserter(out), [](const Cursor& c) { return c.stream != 0 && c.peer != 0; });
    return out;
}

}  // namespace tiertwin::log
