// The whole stream of a writer as chunks, and their staged way into the reader's tables.
//
// Encode   nothing may be pending: settle() the tables first, the as-of number is the last number given. Tables go in
// the
//          order `names` first, then ascending id; chunks are counted over all of them and carry the digest of them
//          all.
// Decode   chunks are staged in empty copies; the tables are untouched until the last one came and the digest (R14) of
//          the staged tables is the announced one, and then all change in one step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "state/table.hpp"
#include "sync/ingest.hpp"

namespace tiertwin::sync {

// `leases` by table id: required for `budget` if it holds cells. InvalidArgument if a cell is pending or tables is
// empty.
[[nodiscard]] std::vector<Frame> encode_snapshot(std::span<const StateTable* const> tables, std::uint64_t as_of,
                                                 std::uint32_t incarnation,
                                                 const std::optional<Lease>& budget_lease = std::nullopt,
                                                 std::size_t frame_bytes = kCutBytes);

// Digest of a stream: over all its tables.
[[nodiscard]] std::uint64_t stream_digest(std::span<const StateTable* const> tables);

class SnapshotStage {
  public:
    // The tables of the stream; only their schema is used here.
    explicit SnapshotStage(std::span<const StateTable* const> tables);

    // One chunk whose header passed. chunk: not the expected index, or its count, digest or as-of number differ from
    // the first chunk's; digest: the last chunk came and the sums differ. A refused chunk leaves the stage as it was.
    [[nodiscard]] Verdict add(const Header& header, Bytes frame);

    [[nodiscard]] bool complete() const { return complete_; }
    [[nodiscard]] std::uint32_t expected() const { return next_; }  // first missing chunk
    [[nodiscard]] std::uint64_t as_of() const { return as_of_; }
    [[nodiscard]] const std::optional<Lease>& lease() const { return lease_; }

    // Swaps all staged tables in (same ids as at construction). InvalidArgument unless complete().
    void commit(std::span<StateTable* const> tables);

  private:
    [[nodiscard]] Verdict check_place(const Header& header, const SnapshotPrefix& prefix) const;
    void restart();

    std::map<std::uint16_t, StateTable> staged_;
    std::uint32_t next_ = 0;
    std::uint32_t chunks_ = 0;
    std::uint64_t digest_ = 0;
    std::uint64_t as_of_ = 0;
    std::optional<Lease> lease_;
    bool complete_ = false;
};

}  // namespace tiertwin::sync
