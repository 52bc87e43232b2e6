// A snapshot: what all records up to a position came to, in one file that is whole or refused (R48).
//
//   file    = header(152) cursor(24)* record* mark      ; nothing behind the mark
//   cursor  = peer u16 · zero u16 · zero u32 · stream u64 · cursor u64
//   record  = link and a SNAPSHOT frame, as in a segment; chained from the crc32c of header and cursors
//
// Cursor 0 stands first, and its cursor is what the parent has made durable of the own stream. The frames of a peer
// are its tables as of exactly its cursor, those of peer 0 the own ones as of the next number − 1.
#pragma once

#include <span>
#include <vector>

#include "log/reader.hpp"
#include "log/streams.hpp"

namespace tiertwin::log {

inline constexpr std::size_t kCursorBytes = 24;

struct SnapshotFrame {
    std::uint16_t peer = 0;
    Bytes frame;
};

// The whole file. `header`: kind, bytes, cursors and crc are filled in. `cursors`: own one first, then ascending.
// InvalidArgument where a reader would refuse: cursors out of order, a frame that is no SNAPSHOT or as of another
// number than its cursor.
[[nodiscard]] std::vector<std::uint8_t> encode_snapshot_file(FileHeader header, std::span<const Cursor> cursors,
                                                             std::span<const SnapshotFrame> frames);

struct SnapshotFile {
    FileHeader header;
    std::vector<Cursor> cursors;
    std::vector<Record> records;  // in the file's memory
};

[[nodiscard]] Finding decode_snapshot_file(Bytes file, SnapshotFile& out);

}  // namespace tiertwin::log
