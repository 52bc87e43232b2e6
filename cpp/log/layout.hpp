// The two fixed pieces of a log: the header of a file and the link before every record (docs/log-format.md).
//
//   file     = header(152) record* zero*            ; a segment, preallocated: zeros are the end
//   record   = link(16) frame                       ; the frame as on the wire: its crc32c is the record's
//   mark     = link(16) of length 0                 ; "all before me is synced", where no record said so
//
//   link     0 length of the frame u32 · 4 peer u16 (slot; 0: own stream) · 6 kind u8 · 7 flags u8
//            8 chain u32 · 12 place u32
//   chain    crc32c(chain of the record before, bytes 0–7, crc32c of the frame; 0 for a mark)
//   place    crc32c(crc32c of the file's header, offset in the file u64, bytes 0–11)
//
// The chain says that nothing before was changed or left out. The place says that this link was written here: found
// anywhere behind a broken record it is the proof that the log went on, and no peer can forge it inside a frame, for
// the header has a salt that no peer sees. Flag `group_start`: when this was written, all before it was synced (the
// next group is not written before the sync of the last one came back). So a break before such a link is damage, and a
// break behind the last one is the tail of a group that nobody acknowledged.
//
// Pure; any thread. Integers are little-endian, sizes multiples of 8.
#pragma once

#include <cstdint>
#include <string>

#include "log/fault.hpp"
#include "sync/header.hpp"

namespace tiertwin::log {

using sync::Bytes;

inline constexpr std::size_t kFileHeaderBytes = 152;
inline constexpr std::size_t kLinkBytes = 16;
inline constexpr std::size_t kNodeNameBytes = 63;
inline constexpr std::uint16_t kLogVersion = 1;
inline constexpr std::uint64_t kSegmentBytes = std::uint64_t{16} << 20U;

enum class FileKind : std::uint8_t { segment, snapshot };

// Offsets: 0 magic "TWLG" or "TWSN" · 4 version u16 · 6 length of the name u16 · 8 stream u64 · 16 next number u64
// 24 position u64 · 32 sequence u64 · 40 salt u64 · 48 bytes u64 · 56 spilled u64 · 64 drained u64 · 72 chain u32
// 76 cursors u32 · 80 name u8[64] · 144 zero u32 · 148 crc32c u32 of all before
struct FileHeader {
    FileKind kind = FileKind::segment;
    std::string node;               // [a-z0-9][a-z0-9-]{0,62}
    std::uint64_t stream = 0;       // id of the own stream
    std::uint64_t next_number = 1;  // that the own stream gives next
    std::uint64_t position = 0;     // records before the file (segment), or contained in it (snapshot)
    std::uint64_t sequence = 1;     // of the segment; snapshot: of the segment that holds `position`
    std::uint64_t salt = 0;         // random, drawn by whoever opens the log
    std::uint64_t bytes = 0;        // size of the file
    std::uint64_t spilled = 0;      // events that went to the log before they were numbered
    std::uint64_t drained = 0;      // of those, numbered since
    std::uint32_t chain = 0;        // of record `position`; 0 where there is none
    std::uint32_t cursors = 0;      // entries behind the header (snapshot)
    std::uint32_t crc = 0;          // of the header; filled in by both directions
    bool operator==(const FileHeader&) const = default;
};

// Writes kFileHeaderBytes and sets `header.crc`. InvalidArgument for a name that is no node's or impossible sizes.
void encode(FileHeader& header, std::uint8_t* to);

// Checks magic, version, fields, crc; whether the size is right depends on who asks.
[[nodiscard]] Finding decode(Bytes file, FileHeader& out);

enum class RecordKind : std::uint8_t {
    frame = 1,  // as it is on the wire: of a peer, or of the own stream
    event = 2,  // of the own stream, not yet numbered: the header's number counts spilled events
    mark = 3,   // nothing but the link
};

inline constexpr std::uint8_t kGroupStart = 1U << 0U;
inline constexpr std::uint8_t kFromSpill = 1U << 1U;  // an own frame whose records are the next spilled events

struct Link {
    std::uint32_t length = 0;
    std::uint16_t peer = 0;
    RecordKind kind = RecordKind::frame;
    std::uint8_t flags = 0;
    std::uint32_t chain = 0;
    std::uint32_t place = 0;
    [[nodiscard]] bool group_start() const { return (flags & kGroupStart) != 0; }
    [[nodiscard]] bool from_spill() const { return (flags & kFromSpill) != 0; }
    bool operator==(const Link&) const = default;
};

// Fills in chain and place and writes kLinkBytes. `before`: chain of the record before.
void encode(Link& link, std::uint32_t before, std::uint32_t frame_crc, std::uint32_t file_crc, std::uint64_t offset,
            std::uint8_t* to);

// Checks fields and place. link_empty for sixteen zeros.
[[nodiscard]] Finding decode(Bytes file, std::uint64_t offset, std::uint32_t file_crc, Link& out);

// What `chain` must be behind `before`; the link as decoded.
[[nodiscard]] std::uint32_t chain_of(std::uint32_t before, const Link& link, std::uint32_t frame_crc);

}  // namespace tiertwin::log
