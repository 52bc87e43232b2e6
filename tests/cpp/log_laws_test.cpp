// Histories of appends, groups, snapshots, truncations and power cuts over a disk that keeps what was synced and any
// sectors of what was not, torn within a sector too. After every cut:
//   what was durable is recovered, what is recovered was written and is a prefix, and the log goes on from there.
//
// Every choice is drawn from the seed. A seed that fails is printed; run it alone with
//     TIERTWIN_SEED=1234 build/dev/tests/cpp/core_tests -tc='log laws*'
// TIERTWIN_SEEDS=100000 runs more of them.
#include <doctest/doctest.h>

#include <cstdlib>

#include "log_files.hpp"

namespace log_laws_test {

using namespace tiertwin;
using namespace tiertwin::log;

namespace {

constexpr std::size_t kSector = 512;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);  // NOLINT: one thread
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Told {
    sync::Frame frame;
    RecordKind kind = RecordKind::mark;
};

class History {
  public:
    explicit History(std::uint64_t seed)
        : random_(seed, 0, 77),
          segment_bytes_(std::uint64_t{1024} << random_.below(4)),
          writer_(config(segment_bytes_)) {}

    void run() {
        const std::uint32_t lives = 1 + random_.below(4);
        for (std::uint32_t life = 0; life < lives; ++life) {
            const std::uint32_t steps = 5 + random_.below(60);
            for (std::uint32_t i = 0; i < steps; ++i) step();
            power_cut();
        }
    }

  private:
    void step() {
        switch (random_.below(8)) {
            case 0:
                if (writer_.in_flight()) land();
                break;
            case 1:
            case 2:
                if (!writer_.in_flight() && writer_.open_records() != 0) flight_ = writer_.take();
                break;
            case 3:
                if (random_.below(4) == 0) keep_snapshot();
                break;
            default:
                append();
        }
    }

    // The group in flight reaches the disk whole, and is synced.
    void land() {
        write(folder_, *flight_);
        writer_.synced();
        flight_.reset();
        if (due_.empty() || writer_.durable() < due_position_) return;
        snapshots_.push_back(std::move(due_));
        due_.clear();
        if (snapshots_.size() > 2) snapshots_.erase(snapshots_.begin());
        truncate();
    }

    void put(const sync::Frame& frame, std::uint16_t peer, RecordKind kind = RecordKind::frame, bool spill = false) {
        writer_.append(peer, frame, kind, spill);
        truth_.push_back({frame, kind});
    }

    void append() {
        const auto peer = static_cast<std::uint16_t>(random_.below(4));
        const std::uint32_t count = 1 + random_.below(5);
        const std::size_t bytes = 48 + 8 * std::size_t{random_.below(60)};
        const Streams& now = writer_.end().streams;
        if (peer == 0) {
            append_own(count, bytes);
        } else if (now.of(peer).stream == 0 || random_.below(10) == 0) {
            const std::uint64_t known = now.of(peer).stream;
            put(hello(known != 0 && random_.below(2) == 0 ? known : ++streams_), peer);
        } else if (random_.below(10) == 0) {
            put(snapshot_frame(std::max<std::uint64_t>(1, now.of(peer).cursor + random_.below(9)),
                               random_.below(2) == 0),
                peer);
        } else {
            const std::uint64_t cursor = now.of(peer).cursor;
            const std::uint64_t back = std::min<std::uint64_t>(cursor, random_.below(3));  // some of it once more
            put(delta(cursor + 1 - back, count + static_cast<std::uint32_t>(back), bytes), peer);
        }
    }

    void append_own(std::uint32_t count, std::size_t bytes) {
        const Streams& now = writer_.end().streams;
        const std::uint64_t waiting = now.spilled() - now.drained();
        const std::uint32_t way = random_.below(5);
        if (way == 0) {
            put(delta(now.spilled() + 1, count, bytes), 0, RecordKind::event);
        } else if (way == 1 && waiting != 0) {
            const auto some = static_cast<std::uint32_t>(1 + random_.below(static_cast<std::uint32_t>(waiting)));
            put(delta(now.next_number(), some, bytes), 0, RecordKind::frame, true);
        } else if (way == 2 && !writer_.in_flight()) {
            const std::uint64_t before = writer_.appended();
            writer_.mark();
            if (writer_.appended() != before) truth_.emplace_back();
        } else {
            put(delta(now.next_number(), count, bytes), 0);
        }
    }

    // Of all that was appended, for when it is durable.
    void keep_snapshot() {
        const Streams& now = writer_.end().streams;
        acked_ = random_.below(2) == 0 ? acked_ : writer_.durable_streams().next_number() - 1;
        std::vector<Cursor> cursors{{0, kOwnStream, acked_}};
        for (const Cursor& c : now.peers()) cursors.push_back(c);
        due_position_ = writer_.appended();
        due_ = encode_snapshot_file(writer_.snapshot_header(), cursors, {});
    }

    // Behind the older of two snapshots, and behind all that is still to be sent.
    void truncate() {
        FileHeader older, next;
        REQUIRE(decode(snapshots_.front(), older).ok());
        while (snapshots_.size() == 2 && folder_.size() > 1) {
            REQUIRE(decode(std::next(folder_.begin())->second, next).ok());
            const bool done = next.position <= older.position && next.next_number - 1 <= acked_ &&
                              next.spilled <= writer_.durable_streams().drained();
            if (!done) break;
            folder_.erase(folder_.begin());
        }
    }

    // Some sectors of the group in flight are on the disk, one of them perhaps in part; a new segment is there whole
    // or not at all, and nothing behind a missing one.
    void power_cut() {
        const std::uint64_t durable = writer_.durable();
        std::uint64_t written = durable;
        if (flight_ != nullptr) {
            written = flight_->last_position;
            const std::size_t pieces = random_.below(static_cast<std::uint32_t>(flight_->pieces.size() + 1));
            for (std::size_t i = 0; i < flight_->pieces.size() && i <= pieces; ++i) {
                if (!survive(flight_->pieces[i], i < pieces)) break;
            }
        }
        come_back(durable, written);
    }

    bool survive(const Piece& piece, bool whole) {
        if (piece.creates != 0) {
            if (!whole && random_.below(2) == 0) return false;
            folder_[piece.sequence].assign(segment_bytes_, 0);
        }
        auto& file = folder_.at(piece.sequence);
        for (std::size_t done = 0; done < piece.size;) {
            const std::uint64_t at = piece.offset + done;
            const std::size_t run = std::min<std::size_t>(piece.size - done, kSector - at % kSector);
            const bool there = whole || piece.creates != 0 || random_.below(2) == 0;
            const std::size_t some = there && !whole && piece.creates == 0 && random_.below(4) == 0
                                         ? random_.below(static_cast<std::uint32_t>(run))
                                         : run;
            if (there) {
                std::copy_n(flight_->bytes.begin() + static_cast<std::ptrdiff_t>(piece.begin + done), some,
                            file.begin() + static_cast<std::ptrdiff_t>(at));
            }
            done += run;
        }
        return true;
    }

    void come_back(std::uint64_t durable, std::uint64_t written) {
        const std::vector<Bytes> kept(snapshots_.begin(), snapshots_.end());
        const Recovery found = recovered(folder_, kept);
        if (folder_.empty()) {
            REQUIRE(durable == 0);
            REQUIRE(found.action == Action::fresh);
            writer_ = LogWriter(config(segment_bytes_));
            truth_.clear();
            flight_.reset();
            due_.clear();
            acked_ = 0;
            return;
        }
        REQUIRE(found.action == Action::resume);
        REQUIRE(found.end.position >= durable);
        REQUIRE(found.end.position <= written);
        truth_.resize(found.end.position);
        check_replay(found);
        for (const Cursor& c : writer_.durable_streams().peers()) {
            const Cursor now = found.end.streams.of(c.peer);
            REQUIRE((now.stream != c.stream || now.cursor >= c.cursor));
        }
        REQUIRE(found.end.streams.next_number() >= writer_.durable_streams().next_number());
        auto& file = std::prev(folder_.end())->second;
        std::fill(file.begin() + static_cast<std::ptrdiff_t>(found.end.offset),
                  file.begin() + static_cast<std::ptrdiff_t>(found.dirty_end), std::uint8_t{0});
        writer_ = LogWriter(config(segment_bytes_), found.end);
        flight_.reset();
        due_.clear();
    }

    // Frames behind the snapshot are those that were written, and no others; so are the events that wait.
    void check_replay(const Recovery& found) {
        FileHeader snapshot;
        if (found.snapshot >= 0) {
            REQUIRE(decode(snapshots_.at(static_cast<std::size_t>(found.snapshot)), snapshot).ok());
        }
        std::vector<sync::Frame> frames, waiting;
        std::uint64_t spilled = 0;
        for (std::size_t i = 0; i < truth_.size(); ++i) {
            const Told& told = truth_[i];
            if (told.kind == RecordKind::frame && i >= snapshot.position) frames.push_back(told.frame);
            if (told.kind != RecordKind::event) continue;
            sync::Header header;
            REQUIRE(sync::decode_header(told.frame, header).ok());
            spilled += header.count;
            if (spilled > found.end.streams.drained()) waiting.push_back(told.frame);
        }
        REQUIRE(frames_of(found.replay, folder_) == frames);
        REQUIRE(frames_of(found.waiting, folder_) == waiting);
    }

    Stream random_;
    std::uint64_t segment_bytes_;
    LogWriter writer_;
    Folder folder_;
    std::shared_ptr<const Group> flight_;
    std::vector<std::vector<std::uint8_t>> snapshots_;
    std::vector<Told> truth_;  // by position
    std::vector<std::uint8_t> due_;
    std::uint64_t due_position_ = 0, acked_ = 0, streams_ = 0;
};

}  // namespace

TEST_CASE("log laws: durable is recovered, recovered was written, over power cuts at any sector") {
    const std::uint64_t one = number_from("TIERTWIN_SEED", 0);
    const std::uint64_t count = one != 0 ? 1 : number_from("TIERTWIN_SEEDS", 5'000);
    for (std::uint64_t seed = one != 0 ? one : 1, end = seed + count; seed < end; ++seed) {
        INFO("TIERTWIN_SEED=" << seed);
        History(seed).run();
    }
}

}  // namespace log_laws_test
