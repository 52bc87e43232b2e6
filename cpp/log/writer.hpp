// The writing end of a log: records into the bytes of a group, and what of it is durable. No I/O.
//
//   append … append        into the open group
//   take()                 the open group is closed and in flight; its pieces are to be written and synced, in order
//   append … append        the next group fills meanwhile
//   synced()               it is durable, and so is every cursor it held; acknowledgements may leave
//
// One group is in flight at a time: that is what makes `group_start` a proof (layout.hpp). A group that could not be
// written whole may be written again; one whose sync failed may not (R47): throw the writer and the process away.
//
// Segments   a record that does not fit the segment begins the next one; nothing is written across. A piece that
//            `creates` begins with the header of its file, whose name must appear only when it is synced whole.
// Owner      one thread. The bytes of a group belong to the group and stay as they are while anybody holds it.
// Cost       one copy of the frame and one crc32c over it; nothing is allocated once the buffers have grown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "log/recover.hpp"

namespace tiertwin::log {

struct WriterConfig {
    std::string node;
    std::uint64_t stream = 0;  // id of the own stream, made with the log
    std::uint64_t salt = 0;    // random, new for every opening of the log
    std::uint64_t segment_bytes = kSegmentBytes;
};

// Bytes [begin, begin + size) of the group belong to segment `sequence` at `offset`.
struct Piece {
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;
    std::size_t begin = 0;
    std::size_t size = 0;
    std::uint64_t creates = 0;  // size of the file that begins here; 0: it is there
    bool operator==(const Piece&) const = default;
};

struct Group {
    std::vector<std::uint8_t> bytes;
    std::vector<Piece> pieces;
    std::uint64_t records = 0;
    std::uint64_t last_position = 0;  // of its last record
};

// Where a segment begins: what truncation needs to know of it.
struct SegmentStart {
    std::uint64_t sequence = 0;
    std::uint64_t position = 0;     // records before it
    std::uint64_t next_number = 1;  // of the own stream
    std::uint64_t spilled = 0;
};

class LogWriter {
  public:
    // A new log, or one that goes on where recovery says. InvalidArgument for a segment that holds no record.
    explicit LogWriter(const WriterConfig& config);
    LogWriter(WriterConfig config, const LogEnd& end);

    // Puts a sealed frame into the open group; returns its position (1 is the first record of the log). A frame that
    // recovery would refuse is InvalidArgument, and nothing is changed: better halt than go on wrong (R51).
    std::uint64_t append(std::uint16_t peer, Bytes frame, RecordKind kind = RecordKind::frame, bool from_spill = false);
    // A group of its own that says that all before it is synced: written when nothing else is to say, and at the end.
    // Nothing happens if the open group is not empty, or if the last record is a mark.
    void mark();

    [[nodiscard]] std::size_t open_bytes() const { return open_->bytes.size(); }
    [[nodiscard]] std::uint64_t open_records() const { return open_->records; }
    [[nodiscard]] bool in_flight() const { return flight_ != nullptr; }

    // InvalidArgument if a group is in flight or none is open.
    [[nodiscard]] std::shared_ptr<const Group> take();
    void synced();  // InvalidArgument if none is in flight

    [[nodiscard]] std::uint64_t appended() const { return end_.position; }
    [[nodiscard]] std::uint64_t durable() const { return durable_position_; }
    [[nodiscard]] const LogEnd& end() const { return end_; }  // with all that was appended
    [[nodiscard]] const Streams& durable_streams() const { return durable_; }
    [[nodiscard]] const WriterConfig& config() const { return config_; }
    [[nodiscard]] const std::vector<SegmentStart>& segments() const { return starts_; }  // begun by this writer

    // Header of a snapshot of all that was appended: it may have its name once durable() has come to its position.
    // Bytes, cursors and crc are encode_snapshot_file's.
    [[nodiscard]] FileHeader snapshot_header() const;

  private:
    void begin_segment();
    std::uint64_t put(Link link, Bytes frame, std::uint32_t frame_crc);

    WriterConfig config_;
    LogEnd end_;
    Streams durable_, flight_streams_;
    std::uint64_t durable_position_ = 0;
    bool marked_ = false;  // nothing since the last mark
    std::shared_ptr<Group> open_, flight_, spare_;
    std::vector<SegmentStart> starts_;
};

}  // namespace tiertwin::log
