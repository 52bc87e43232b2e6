// A frame's records into a table: every check first, then writes that cannot fail, so a bad frame applies nothing.
//
// Ordering      last number wins, cell by cell; numbers increase within one writer's stream (R7). Any order and any
//               duplicates of the same frames give the same table. Records at or below `cursor` are skipped, so a frame
//               that straddles it applies its new suffix only. Gaps are the session's business.
// Unknown       attributes become opaque columns of the table, finite values of at most kMaxOpaque attributes; those
// that
//               a sealed table does not admit are refused (the border of a domain).
// In place      reads the received buffer and keeps nothing of it.
#pragma once

#include <cstdint>

#include "state/table.hpp"
#include "sync/codec.hpp"

namespace tiertwin::sync {

struct Ingested {
    Verdict verdict;
    std::uint32_t records = 0;   // beyond the cursor
    std::uint32_t applied = 0;   // of those, cells that took a newer number
    std::optional<Lease> lease;  // of table `budget`
};

// Body checks of a DELTA or SNAPSHOT for this table: fingerprint, prefix, every block, value and row, sum of n = count.
// `blocks` is set to the part behind the prefixes.
[[nodiscard]] Verdict check_records(const StateTable& table, const Header& header, Bytes frame, Bytes& blocks,
                                    std::optional<Lease>& lease);

// Writes checked blocks; record i has number header.number + i (DELTA) or header.number (SNAPSHOT).
std::uint32_t apply_records(StateTable& table, const Header& header, Bytes blocks, std::uint64_t cursor);

// check_records, then apply_records, for a DELTA whose header passed decode_header.
[[nodiscard]] Ingested ingest(StateTable& table, const Header& header, Bytes frame, std::uint64_t cursor);

}  // namespace tiertwin::sync
