// What a peer (or we) said, out of a log and into tables again.
//
// Frames of one peer in the order of their places: DELTA is ingested beyond the cursor, SNAPSHOT chunks are staged and
// swapped in with the last one, HELLO and WELCOME name a stream. A table that is not given here is skipped and counted:
// units (cut, point, query, budget) are no rows of a table, their taker looks at the frames itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "state/table.hpp"
#include "sync/snapshot.hpp"

namespace tiertwin::log {

class Replay {
  public:
    // The tables of one stream; they must outlive the replay. `cursor`: what they hold already.
    explicit Replay(std::vector<StateTable*> tables, std::uint64_t cursor = 0);

    // One frame, whole. A refusal changes nothing; it means that the tables have another schema than they had.
    [[nodiscard]] sync::Verdict take(sync::Bytes frame);

    // The tables hold all of this stream up to here: a snapshot of a stream without cells has no frame that says so,
    // and none has one that names the stream; without its name, the HELLO of another one would go on from its cursor.
    void go_on(std::uint64_t stream, std::uint64_t cursor) {
        stream_ = stream;
        cursor_ = cursor;
    }

    [[nodiscard]] std::uint64_t cursor() const { return cursor_; }
    [[nodiscard]] std::uint64_t applied() const { return applied_; }  // cells
    [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  // frames of other tables

  private:
    [[nodiscard]] sync::Verdict take_snapshot(const sync::Header& header, sync::Bytes frame);
    [[nodiscard]] StateTable* find(std::uint16_t table) const;

    std::vector<StateTable*> tables_;
    std::optional<sync::SnapshotStage> stage_;
    std::uint64_t stream_ = 0;
    std::uint64_t cursor_;
    std::uint64_t applied_ = 0, skipped_ = 0;
};

}  // namespace tiertwin::log
