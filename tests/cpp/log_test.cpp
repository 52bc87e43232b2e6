// The log by its parts: headers, links, writer, reader, snapshots, recovery, each rule in words.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "log/replay.hpp"
#include "log_files.hpp"
#include "sync/codec.hpp"

namespace log_test {

using namespace tiertwin;
using namespace tiertwin::log;

namespace {

// A peer with a stream and `n` deltas, each a group of its own.
Known with_peer(std::uint16_t peer, std::uint64_t n, std::uint64_t segment = 64U << 10U) {
    Known log(segment);
    log.append(hello(kPeerStream), peer);
    for (std::uint64_t i = 1; i <= n; ++i) {
        log.append(delta(i), peer);
        log.sync();
    }
    return log;
}

std::vector<std::uint8_t> snapshot_of(const LogWriter& writer, std::uint64_t acked,
                                      const std::vector<SnapshotFrame>& frames = {}) {
    std::vector<Cursor> cursors{{0, kOwnStream, acked}};
    for (const Cursor& c : writer.end().streams.peers()) cursors.push_back(c);
    return encode_snapshot_file(writer.snapshot_header(), cursors, frames);
}

}  // namespace

TEST_CASE("log: a file's header comes back as it was, and every flipped bit is found") {
    FileHeader header{.node = "edge-a",
                      .stream = kOwnStream,
                      .next_number = 5,
                      .position = 9,
                      .sequence = 3,
                      .salt = 77,
                      .bytes = 4096,
                      .spilled = 4,
                      .drained = 2,
                      .chain = 12,
                      .cursors = 0};
    std::vector<std::uint8_t> bytes(kFileHeaderBytes);
    encode(header, bytes.data());
    FileHeader back;
    REQUIRE(decode(bytes, back).ok());
    CHECK(back == header);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        auto flipped = bytes;
        flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
        CHECK_FALSE(decode(flipped, back).ok());
    }
    CHECK(decode(Bytes(bytes).first(100), back).fault == Fault::file_short);
}

TEST_CASE("log: a header that no reader would take is not written") {
    std::vector<std::uint8_t> bytes(kFileHeaderBytes);
    FileHeader bad{.node = "Edge", .bytes = 4096};
    CHECK_THROWS_AS(encode(bad, bytes.data()), InvalidArgument);
    bad = {.node = "edge", .bytes = 4095};
    CHECK_THROWS_AS(encode(bad, bytes.data()), InvalidArgument);
    bad = {.node = "edge", .bytes = 4096, .spilled = 1, .drained = 2};
    CHECK_THROWS_AS(encode(bad, bytes.data()), InvalidArgument);
    CHECK_THROWS_AS(LogWriter(WriterConfig{.node = "edge", .segment_bytes = 96}), InvalidArgument);
    CHECK_THROWS_AS(LogWriter(WriterConfig{.node = ""}), InvalidArgument);
}

TEST_CASE("log: what is appended and synced is what recovery finds, in its order, over several segments") {
    Known log = with_peer(3, 40, 1024);
    CHECK(log.folder.size() > 3);
    const Recovery found = recovered(log.folder);
    REQUIRE(found.action == Action::resume);
    CHECK(found.end.position == 41);
    CHECK(found.end.streams.of(3) == Cursor{3, kPeerStream, 40});
    CHECK(found.dirty_end == found.end.offset);
    CHECK(found.last_group == log.records.back().offset);
    const auto frames = frames_of(found.replay, log.folder);
    REQUIRE(frames.size() == log.records.size());
    for (std::size_t i = 0; i < frames.size(); ++i) CHECK(frames[i] == log.records[i].frame);
}

TEST_CASE("log: no files are a fresh log, and one that goes on is the log that never stopped") {
    CHECK(recovered({}).action == Action::fresh);
    Known log = with_peer(1, 7, 1024), whole = with_peer(1, 7, 1024);
    LogWriter again(config(1024), recovered(log.folder).end);
    for (std::uint64_t i = 8; i <= 20; ++i) {
        again.append(1, delta(i));
        write(log.folder, *again.take());
        again.synced();
        whole.append(delta(i), 1);
        whole.sync();
    }
    CHECK(log.folder == whole.folder);
}

TEST_CASE("log: durable is what synced() said, never what was appended or taken") {
    LogWriter writer(config());
    writer.append(1, hello(kPeerStream));
    writer.append(1, delta(1, 3));
    CHECK(writer.appended() == 2);
    CHECK(writer.durable_streams().of(1).cursor == 0);
    const auto group = writer.take();
    writer.append(1, delta(4));
    CHECK(writer.durable() == 0);
    CHECK_THROWS_AS((void)writer.take(), InvalidArgument);
    writer.synced();
    CHECK(writer.durable() == 2);
    CHECK(writer.durable_streams().of(1).cursor == 3);
    CHECK(writer.end().streams.of(1).cursor == 4);
    CHECK(group->records == 2);
    CHECK_THROWS_AS(writer.synced(), InvalidArgument);
}

TEST_CASE("log: the bytes of a group stay as they are while anybody holds it") {
    LogWriter writer(config());
    writer.append(0, delta(1));
    const auto first = writer.take();
    const auto copy = first->bytes;
    writer.synced();
    for (std::uint64_t n = 2; n < 8; ++n) {
        writer.append(0, delta(n));
        (void)writer.take();
        writer.synced();
    }
    CHECK(first->bytes == copy);
}

TEST_CASE("log: a record that recovery would refuse is refused by the writer, and changes nothing") {
    LogWriter writer(config());
    CHECK_THROWS_AS(writer.append(1, delta(1)), InvalidArgument);  // nobody named the stream
    writer.append(1, hello(kPeerStream));
    CHECK_THROWS_AS(writer.append(1, delta(2)), InvalidArgument);  // a gap
    writer.append(1, delta(1, 4));
    CHECK_THROWS_AS(writer.append(1, delta(3, 2)), InvalidArgument);  // nothing new
    writer.append(1, delta(3, 4));                                    // overlaps, and goes on
    CHECK(writer.end().streams.of(1).cursor == 6);
    CHECK_THROWS_AS(writer.append(1, snapshot_frame(5)), InvalidArgument);  // back
    CHECK_THROWS_AS(writer.append(0, delta(2)), InvalidArgument);           // own numbers have no gaps
    CHECK_THROWS_AS(writer.append(0, snapshot_frame(1)), InvalidArgument);
    CHECK_THROWS_AS(writer.append(1, delta(7), RecordKind::event), InvalidArgument);
    CHECK_THROWS_AS(writer.append(0, delta(1), RecordKind::frame, true), InvalidArgument);  // no event waits
    CHECK_THROWS_AS(writer.append(1, sync::encode(sync::Ack{}, 1)), InvalidArgument);
    auto torn = delta(7);
    torn[50] ^= 1;
    CHECK_THROWS_AS(writer.append(1, torn), InvalidArgument);
    CHECK(writer.appended() == 3);
    Folder folder;
    write(folder, *writer.take());
    CHECK(recovered(folder).end.position == 3);
}

TEST_CASE("log: another stream id of a peer begins at 0; a snapshot's last chunk moves the cursor") {
    Known log = with_peer(2, 5);
    log.append(hello(kPeerStream + 1), 2);
    CHECK(log.writer.end().streams.of(2) == Cursor{2, kPeerStream + 1, 0});
    log.append(snapshot_frame(30, false), 2);
    CHECK(log.writer.end().streams.of(2).cursor == 0);
    log.append(snapshot_frame(30, true), 2);
    log.append(delta(31), 2);
    log.append(hello(kPeerStream + 1), 2);  // the same again: a mere reconnect
    log.sync();
    CHECK(recovered(log.folder).end.streams.of(2) == Cursor{2, kPeerStream + 1, 31});
}

TEST_CASE("log: spilled events wait until own frames from the spill have numbered them") {
    Known log;
    log.append(delta(1, 2, 72, 3), 0, RecordKind::event);  // events 1, 2
    log.append(delta(3, 1, 72, 3), 0, RecordKind::event);  // event 3
    CHECK_THROWS_AS(log.append(delta(5, 1, 72, 3), 0, RecordKind::event), InvalidArgument);
    log.append(delta(1, 4), 0);                                  // samples 1 … 4
    log.append(delta(5, 1, 72, 3), 0, RecordKind::frame, true);  // event 1 is number 5
    log.sync();
    Recovery found = recovered(log.folder);
    CHECK(found.waiting.size() == 2);  // the first one is numbered in half
    CHECK(found.end.streams.drained() == 1);
    log.append(delta(6, 2, 72, 3), 0, RecordKind::frame, true);  // events 2, 3
    log.sync();
    found = recovered(log.folder);
    CHECK(found.waiting.empty());
    CHECK(found.end.streams.next_number() == 8);
    CHECK(found.unacked.size() == 3);
}

TEST_CASE("log: a snapshot says what came before it, and records behind it follow") {
    Known log = with_peer(2, 6, 1024);
    log.append(delta(1, 3), 0);
    log.sync();
    const auto frame = snapshot_frame(6);
    const auto file = snapshot_of(log.writer, 2, {{2, frame}});
    SnapshotFile read;
    REQUIRE(decode_snapshot_file(file, read).ok());
    CHECK(read.records.size() == 1);
    CHECK(read.cursors == std::vector<Cursor>{{0, kOwnStream, 2}, {2, kPeerStream, 6}});
    log.append(delta(7), 2);
    log.append(delta(4), 0);
    log.sync();
    const Recovery found = recovered(log.folder, {file});
    REQUIRE(found.action == Action::resume);
    CHECK(found.snapshot == 0);
    CHECK(found.acked == 2);
    CHECK(found.replay.size() == 2);
    CHECK(found.unacked.size() == 2);  // 1 … 3 and 4
    CHECK(found.end.streams.of(2).cursor == 7);
}

TEST_CASE("log: segments before the snapshot may go; without it the log has no beginning") {
    Known log = with_peer(2, 30, 1024);
    const auto file = snapshot_of(log.writer, 0);
    log.append(delta(31), 2);
    log.sync();
    const std::size_t before = log.folder.size();
    while (log.folder.size() > 1) log.folder.erase(log.folder.begin());
    CHECK(before > 2);
    const Recovery found = recovered(log.folder, {file});
    REQUIRE(found.action == Action::resume);
    CHECK(found.end.streams.of(2) == Cursor{2, kPeerStream, 31});
    CHECK(recovered(log.folder).why == Fault::missing);
}

TEST_CASE("log: a damaged snapshot is named, and the one before serves") {
    Known log = with_peer(2, 4);
    const auto older = snapshot_of(log.writer, 0);
    log.append(delta(5), 2);
    log.sync();
    auto newer = snapshot_of(log.writer, 0);
    CHECK(recovered(log.folder, {older, newer}).snapshot == 1);
    for (std::size_t i = 0; i < newer.size(); ++i) {
        newer[i] ^= 0x10;
        const Recovery found = recovered(log.folder, {older, newer});
        CHECK(found.action == Action::resume);
        CHECK(found.snapshot == 0);
        CHECK_FALSE(found.snapshots[1].ok());
        CHECK(found.end.streams.of(2).cursor == 5);
        newer[i] ^= 0x10;
    }
    for (std::size_t size = 0; size < newer.size(); ++size) {
        SnapshotFile read;
        CHECK_FALSE(decode_snapshot_file(Bytes(newer).first(size), read).ok());
    }
}

TEST_CASE("log: a snapshot that a reader would refuse is not written") {
    Known log = with_peer(2, 4);
    const auto frame = snapshot_frame(3);
    CHECK_THROWS_AS((void)snapshot_of(log.writer, 0, {{2, frame}}), InvalidArgument);  // as of 3, cursor 4
    const auto right = snapshot_frame(4);
    CHECK_THROWS_AS((void)snapshot_of(log.writer, 0, {{5, right}}), InvalidArgument);  // no such peer
    CHECK_THROWS_AS((void)snapshot_of(log.writer, 9, {}), InvalidArgument);            // acknowledged, never numbered
    const auto other = delta(5);
    CHECK_THROWS_AS((void)snapshot_of(log.writer, 0, {{2, other}}), InvalidArgument);
}

TEST_CASE("log: files of another node, another stream, a missing or doubled segment: refused, never skipped") {
    Known log = with_peer(2, 30, 1024);
    REQUIRE(log.folder.size() > 3);
    CHECK(recover({"edge-b", 0}, files(log.folder), {}).why == Fault::file_node);
    CHECK(recover({kNode, kOwnStream + 1}, files(log.folder), {}).why == Fault::file_stream);
    auto holed = log.folder;
    holed.erase(std::next(holed.begin()));
    CHECK(recovered(holed).why == Fault::missing);
    auto doubled = files(log.folder);
    doubled.push_back(doubled.front());
    CHECK(recover({kNode, 0}, doubled, {}).why == Fault::doubled);
    auto cut = log.folder;
    cut.rbegin()->second.resize(512);
    CHECK(recovered(cut).why == Fault::file_size);
    const auto file = snapshot_of(log.writer, 0);
    auto ends_early = log.folder;
    ends_early.erase(std::prev(ends_early.end()));
    CHECK(recovered(ends_early, {file}).why == Fault::behind);
    CHECK(recovered({}, {file}).why == Fault::missing);
    auto shuffled = files(log.folder);
    std::ranges::reverse(shuffled);
    CHECK(recover({kNode, 0}, shuffled, {}).action == Action::resume);  // the order of the list says nothing
}

TEST_CASE("log: a mark ends a log in use, so that damage before it is not taken for a torn tail") {
    Known log = with_peer(2, 3);
    Known marked = with_peer(2, 3);
    marked.mark();
    marked.mark();  // once is enough
    marked.sync();
    CHECK(recovered(marked.folder).end.position == 5);
    const std::uint64_t at = log.records.back().offset + 40;
    log.folder[1][at] ^= 1;
    marked.folder[1][at] ^= 1;
    CHECK(recovered(log.folder).action == Action::resume);  // the last group: nobody can tell
    CHECK(recovered(marked.folder).action == Action::restart);
}

TEST_CASE("log: a whole record inside a frame is no proof of a later group") {
    // A peer sends bytes that look like a group's first record; the frame around it is torn.
    Known inner = with_peer(2, 1);
    const auto& file = inner.folder[1];
    sync::Frame hostile(sync::kHeaderBytes + 256);
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(kFileHeaderBytes), 256,
                hostile.begin() + static_cast<std::ptrdiff_t>(sync::kHeaderBytes));
    sync::seal(hostile, {.kind = sync::Kind::delta, .table = 1, .count = 1, .number = 1, .fingerprint = 7});
    Known log = with_peer(2, 1);
    log.append(hello(kPeerStream), 3);
    log.append(hostile, 3);
    log.sync();
    log.folder[1][log.records.back().offset + 20] ^= 1;
    const Recovery found = recovered(log.folder);
    CHECK(found.action == Action::resume);
    CHECK(found.end.position == 3);
}

TEST_CASE("log: a torn tail is cut, and what is written there instead holds") {
    Known log = with_peer(2, 5);
    log.append(delta(6), 2);
    log.append(delta(7), 2);
    log.sync();
    log.folder[1][log.records[6].offset + 3] ^= 1;  // number 6; 7 behind it is whole
    Recovery found = recovered(log.folder);
    REQUIRE(found.action == Action::resume);
    CHECK(found.segments[0].fault != Fault::ok);
    CHECK(found.end.streams.of(2).cursor == 5);
    CHECK(found.dirty_end > found.end.offset);
    std::fill(log.folder[1].begin() + static_cast<std::ptrdiff_t>(found.end.offset),
              log.folder[1].begin() + static_cast<std::ptrdiff_t>(found.dirty_end), std::uint8_t{0});
    LogWriter again(config(), found.end);
    again.append(2, delta(6, 9));
    write(log.folder, *again.take());
    found = recovered(log.folder);
    CHECK(found.segments[0].ok());
    CHECK(found.end.streams.of(2).cursor == 14);
}

TEST_CASE("log: replay brings tables to where they were, over deltas, a snapshot and a new stream") {
    AttributeRegistry registry;
    registry.add({.id = 1,
                  .name = "load",
                  .unit = "1",
                  .kind = "gauge",
                  .type = ValueType::f64,
                  .merge = "sum",
                  .low = -1e9,
                  .high = 1e9});
    const auto fresh = [&] { return StateTable(registry, sync::kTelemetry, {1}, 20); };
    StateTable live = fresh(), copy = fresh();
    Replay replay({&copy});
    std::uint64_t number = 1;
    const auto change = [&](std::uint32_t row, double value) {
        const std::vector<std::uint32_t> rows{row};
        live.set(1, rows, std::vector<double>{value}, 1000 * static_cast<Time>(number));
        for (const sync::EncodedDelta& d : sync::encode_delta(live, number, 1, {})) {
            CHECK(replay.take(d.frame).ok());
            ++number;
        }
    };
    CHECK(replay.take(hello(5)).ok());
    change(3, 1.0);
    change(4, 2.0);
    const std::vector<const StateTable*> tables{&live};
    CHECK(replay.take(hello(6)).ok());
    CHECK(replay.cursor() == 0);
    for (const sync::Frame& f : sync::encode_snapshot(tables, number - 1, 1)) CHECK(replay.take(f).ok());
    CHECK(replay.cursor() == number - 1);
    change(5, 3.0);
    CHECK(replay.take(delta(number, 1, 72, 9)).ok());  // a table that is not here
    CHECK(replay.skipped() == 1);
    CHECK(copy.digest() == live.digest());
    CHECK_FALSE(replay.take(sync::encode(sync::Ack{}, 1)).ok());
}

}  // namespace log_test
