#include "log/snapshot_file.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/crc32c.hpp"

namespace tiertwin::log {
namespace {

// As of which number the frames of a peer must be; 0 for one without a cursor.
std::uint64_t as_of(const FileHeader& header, std::span<const Cursor> cursors, std::uint16_t peer, bool& known) {
    known = true;
    if (peer == 0) return header.next_number - 1;
    const auto found = std::ranges::lower_bound(cursors, peer, {}, &Cursor::peer);
    known = found != cursors.end() && found->peer == peer;
    return known ? found->cursor : 0;
}

bool frame_fits(const FileHeader& header, std::span<const Cursor> cursors, std::uint16_t peer,
                const sync::Header& frame) {
    bool known = false;
    const std::uint64_t number = as_of(header, cursors, peer, known);
    return known && frame.kind == sync::Kind::snapshot && frame.number == number;
}

bool cursors_fit(const FileHeader& header, std::span<const Cursor> cursors) {
    if (cursors.empty() || cursors.front().peer != 0 || cursors.front().stream != header.stream ||
        cursors.front().cursor >= header.next_number) {
        return false;
    }
    for (std::size_t i = 1; i < cursors.size(); ++i) {
        if (cursors[i].peer <= cursors[i - 1].peer || cursors[i].stream == 0) return false;
    }
    return true;
}

std::uint32_t first_chain(Bytes file, std::size_t cursors) {
    return sync::crc32c(0, file.first(kFileHeaderBytes + kCursorBytes * cursors));
}

void append(std::vector<std::uint8_t>& file, Link link, Bytes frame, const sync::Header& header, std::uint32_t file_crc,
            std::uint32_t& chain) {
    const std::size_t at = file.size();
    file.resize(at + kLinkBytes);
    encode(link, chain, header.crc, file_crc, at, file.data() + at);
    file.insert(file.end(), frame.begin(), frame.end());
    chain = link.chain;
}

}  // namespace

std::vector<std::uint8_t> encode_snapshot_file(FileHeader header, std::span<const Cursor> cursors,
                                               std::span<const SnapshotFrame> frames) {
    header.kind = FileKind::snapshot;
    header.cursors = static_cast<std::uint32_t>(cursors.size());
    std::size_t size = kFileHeaderBytes + kCursorBytes * cursors.size() + kLinkBytes;
    for (const SnapshotFrame& f : frames) size += kLinkBytes + f.frame.size();
    header.bytes = size;
    if (!cursors_fit(header, cursors)) {
        throw InvalidArgument("snapshot of node '" + header.node +
                              "': expected the own cursor first, below the next number, then one a peer with a stream");
    }
    std::vector<std::uint8_t> file(kFileHeaderBytes);
    file.reserve(size);
    encode(header, file.data());
    for (const Cursor& c : cursors) {
        sync::put(file, std::uint64_t{c.peer});
        sync::put(file, c.stream);
        sync::put(file, c.cursor);
    }
    std::uint32_t chain = first_chain(file, cursors.size());
    for (const SnapshotFrame& f : frames) {
        sync::Header frame;
        const bool good = sync::decode_header(f.frame, frame).ok() && frame_fits(header, cursors, f.peer, frame);
        if (!good) {
            throw InvalidArgument("snapshot of node '" + header.node + "': a frame of peer " + std::to_string(f.peer) +
                                  " is no SNAPSHOT as of its cursor; encode the tables when nothing is pending");
        }
        append(file, {.length = static_cast<std::uint32_t>(f.frame.size()), .peer = f.peer}, f.frame, frame, header.crc,
               chain);
    }
    append(file, {.kind = RecordKind::mark, .flags = kGroupStart}, {}, {}, header.crc, chain);
    return file;
}

Finding decode_snapshot_file(Bytes file, SnapshotFile& out) {
    out.cursors.clear();
    out.records.clear();
    if (const Finding found = decode(file, out.header); !found.ok()) return found;
    const FileHeader& header = out.header;
    if (header.kind != FileKind::snapshot) return {Fault::file_magic, 0};
    if (header.bytes != file.size()) return {Fault::file_size, 48};
    if (header.cursors > (file.size() - kFileHeaderBytes) / kCursorBytes) return {Fault::snapshot_cursors, 76};
    for (std::size_t i = 0; i < header.cursors; ++i) {
        const std::uint8_t* at = file.data() + kFileHeaderBytes + kCursorBytes * i;
        if (!sync::all_zero(at + 2, 6)) return {Fault::snapshot_cursors, kFileHeaderBytes + kCursorBytes * i};
        out.cursors.push_back(
            {sync::load<std::uint16_t>(at), sync::load<std::uint64_t>(at + 8), sync::load<std::uint64_t>(at + 16)});
    }
    if (!cursors_fit(header, out.cursors)) return {Fault::snapshot_cursors, kFileHeaderBytes};
    Reader reader(file, header.crc, kFileHeaderBytes + kCursorBytes * header.cursors,
                  first_chain(file, header.cursors));
    bool marked = false;
    for (Record record; reader.next(record);) {
        if (marked) return {Fault::snapshot_end, record.offset};
        marked = record.link.kind == RecordKind::mark;
        if (marked && !record.link.group_start()) return {Fault::snapshot_end, record.offset};
        if (marked) continue;
        const bool fits = record.link.kind == RecordKind::frame && record.link.flags == 0 &&
                          frame_fits(header, out.cursors, record.link.peer, record.header);
        if (!fits) return {Fault::kind, record.offset};
        out.records.push_back(record);
    }
    if (!reader.finding().ok()) return reader.finding();
    return marked ? Finding{} : Finding{Fault::snapshot_end, reader.offset()};
}

}  // namespace tiertwin::log
