// T5: the log's readers over any bytes: no crash, no sanitizer report, no endless loop, and what is accepted holds.
//
//   one input   byte 0 says what the rest is: bit 0 unset: segments, each behind its length u32; set: a snapshot.
//               bit 1: checksums, chains and places are put right first, so that the input gets past them
//   accepted    a log that is resumed can be gone on with; a snapshot that is read is what the encoder makes of it
//
// With libFuzzer (clang):   cmake -B build/fuzz -DTIERTWIN_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++ && cmake --build
// build/fuzz
//                           build/fuzz/tests/fuzz/log_fuzz tests/fuzz/corpus/log -max_total_time=20
// Without it the same program has a driver of its own (driver.cpp): it mutates the corpus by Philox draws.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "log/recover.hpp"
#include "log/writer.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/crc32c.hpp"

using namespace tiertwin;
using namespace tiertwin::log;

namespace {

constexpr std::size_t kFiles = 4;
constexpr std::uint64_t kHuge = std::uint64_t{1} << 62U;

// Assertions stay on in release builds.
void hold(bool condition) {
    if (!condition) std::abort();
}

std::vector<Bytes> split(Bytes data) {
    std::vector<Bytes> out;
    while (data.size() >= 4 && out.size() < kFiles) {
        std::uint32_t length = 0;
        std::memcpy(&length, data.data(), 4);
        data = data.subspan(4);
        const std::size_t size = std::min<std::size_t>(length, data.size());
        out.push_back(data.first(size));
        data = data.subspan(size);
    }
    return out;
}

void go_on(const Recovery& found, const std::vector<Bytes>& segments) {
    hold(found.last_segment >= 0 && static_cast<std::size_t>(found.last_segment) < segments.size());
    const Bytes last = segments[static_cast<std::size_t>(found.last_segment)];
    hold(found.end.offset <= last.size() && found.dirty_end <= last.size() && found.end.offset <= found.dirty_end);
    for (const auto* places : {&found.replay, &found.unacked, &found.waiting}) {
        for (const Place& p : *places) hold(p.file < segments.size() && p.offset + p.length <= segments[p.file].size());
    }
    FileHeader header;
    hold(decode(last, header).ok());
    try {
        LogWriter writer({header.node, found.end.streams.stream(), 1, 1U << 16U}, found.end);
        writer.mark();
        hold(writer.appended() == found.end.position + 1);
    } catch (const InvalidArgument&) {  // numbers at the end of their 64 bits: the writer halts rather than wraps
        const LogEnd& end = found.end;
        hold(std::max({end.position, end.sequence, end.streams.next_number(), end.streams.spilled()}) > kHuge ||
             end.streams.next_number() == 0 || end.streams.spilled() < end.streams.drained());
    }
}

void read_segments(Bytes data) {
    const std::vector<Bytes> segments = split(data);
    FileHeader header;
    for (const Bytes& s : segments) {
        if (!decode(s, header).ok()) continue;
        Reader reader(s, header.crc, kFileHeaderBytes, header.chain);
        std::uint64_t before = 0;
        for (Record r; reader.next(r);) {
            hold(r.offset >= before && r.offset + kLinkBytes + r.frame.size() <= s.size());
            before = r.offset + kLinkBytes;
        }
        const TailVerdict tail = judge_tail(s, header.crc, reader.offset());
        hold(tail.dirty_end <= s.size() && tail.dirty_end >= reader.offset());
    }
    const std::string node = segments.empty() || !decode(segments[0], header).ok() ? "edge-a" : header.node;
    const Recovery found = recover({node, 0}, segments, {});
    if (found.action == Action::resume) go_on(found, segments);
    if (found.action == Action::restart) hold(found.replay.empty() && found.why != Fault::ok);
}

void read_snapshot(Bytes data) {
    SnapshotFile file;
    if (!decode_snapshot_file(data, file).ok()) return;
    std::vector<SnapshotFrame> frames;
    for (const Record& r : file.records) frames.push_back({r.link.peer, r.frame});
    const auto again = encode_snapshot_file(file.header, file.cursors, frames);  // what is accepted, is ours
    hold(again.size() == data.size() && std::memcmp(again.data(), data.data(), data.size()) == 0);
}

using Input = std::vector<std::uint8_t>;

// Size and crc32c of the header as they must be; what its fields say is left as it is. False if there is none.
bool repair_header(std::span<std::uint8_t> file, FileHeader& header) {
    if (file.size() < kFileHeaderBytes) return false;
    sync::store(file.data() + 48, std::uint64_t{file.size()});
    sync::store(file.data() + 148, sync::crc32c(0, file.first(148)));
    return decode(file, header).ok();
}

void repair_records(std::span<std::uint8_t> file, std::uint64_t at, std::uint32_t file_crc, std::uint32_t chain) {
    while (at + kLinkBytes <= file.size()) {
        std::uint8_t* link = file.data() + at;
        const auto length = sync::load<std::uint32_t>(link);
        const bool mark = length == 0 && link[6] == 3;
        const std::uint64_t room = file.size() - at - kLinkBytes;
        if (!mark && (length < sync::kHeaderBytes || length > room)) return;
        std::uint32_t frame_crc = 0;
        if (!mark) {
            std::uint8_t* frame = link + kLinkBytes;
            sync::store(frame + 8, static_cast<std::uint32_t>(length - sync::kHeaderBytes));
            sync::store(frame + 16, std::uint32_t{0});
            frame_crc = sync::crc32c(0, {frame, length});
            sync::store(frame + 16, frame_crc);
        }
        Link again{.length = length,
                   .peer = sync::load<std::uint16_t>(link + 4),
                   .kind = static_cast<RecordKind>(link[6]),
                   .flags = link[7]};
        encode(again, chain, frame_crc, file_crc, at, link);
        chain = again.chain;
        at += kLinkBytes + length;
    }
}

void repair_segments(Input& input) {
    std::size_t at = 1;
    for (std::size_t k = 0; k < kFiles && at + 4 <= input.size(); ++k) {
        const auto length = sync::load<std::uint32_t>(input.data() + at);
        at += 4;
        const std::size_t size = std::min<std::size_t>(length, input.size() - at);
        FileHeader header;
        const auto file = std::span(input).subspan(at, size);
        if (repair_header(file, header)) repair_records(file, kFileHeaderBytes, header.crc, header.chain);
        at += size;
    }
}

void repair_snapshot(Input& input) {
    FileHeader header;
    const auto file = std::span(input).subspan(1);
    if (!repair_header(file, header)) return;
    const std::uint64_t begin = kFileHeaderBytes + kCursorBytes * std::uint64_t{header.cursors};
    if (begin <= file.size()) repair_records(file, begin, header.crc, sync::crc32c(0, file.first(begin)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Input input(data, data + size);
    if ((data[0] & 2U) != 0) {
        if ((data[0] & 1U) == 0) {
            repair_segments(input);
        } else {
            repair_snapshot(input);
        }
    }
    const Bytes rest = Bytes(input).subspan(1);
    if (data[0] % 2 == 0) {
        read_segments(rest);
    } else {
        read_snapshot(rest);
    }
    return 0;
}
