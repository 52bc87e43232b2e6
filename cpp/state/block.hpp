// 4 096 rows of one column, shared between a table, its forks and its views, and copied on the first write.
//
// Arrays lie apart (value, time, number), so that a run of rows moves like memcpy. Beside them, for every 64 rows, the
// sum of cell hashes: `stale` has one bit for each such chunk, so a digest costs only what changed since it was last
// read.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "base/types.hpp"

namespace tiertwin {

inline constexpr index_t kBlockRows = 4096;
inline constexpr index_t kChunkRows = 64;
inline constexpr Time kNever = std::numeric_limits<Time>::min();  // time of a cell nobody wrote; its value is NaN

class Block {
  public:
    explicit Block(index_t rows);  // 1 … kBlockRows, all cells unwritten
    Block(const Block& other);
    Block& operator=(const Block&) = delete;
    ~Block() = default;

    [[nodiscard]] index_t rows() const { return rows_; }
    [[nodiscard]] double* values() { return reinterpret_cast<double*>(cells_.get()); }
    [[nodiscard]] const double* values() const { return reinterpret_cast<const double*>(cells_.get()); }
    [[nodiscard]] Time* times() { return reinterpret_cast<Time*>(cells_.get()) + capacity_; }
    [[nodiscard]] const Time* times() const { return reinterpret_cast<const Time*>(cells_.get()) + capacity_; }
    [[nodiscard]] std::uint64_t* numbers() { return cells_.get() + 2 * capacity_; }
    [[nodiscard]] const std::uint64_t* numbers() const { return cells_.get() + 2 * capacity_; }

    // Pending: written here, not numbered yet. Such a cell counts in the digest with its last numbered record.
    [[nodiscard]] bool pending(index_t row) const { return (pending_[word(row)] >> bit(row) & 1U) != 0; }
    void set_pending(index_t row) { pending_[word(row)] |= std::uint64_t{1} << bit(row); }
    void clear_pending(index_t row) { pending_[word(row)] &= ~(std::uint64_t{1} << bit(row)); }

    // Cells first … last changed: their chunks are hashed again when the digest is next read.
    void touch(index_t first, index_t last);

    std::uint64_t newest = 0;  // no number in this block is higher

    // Sum of the hashes of numbered, not pending cells; `first_row` is this block's first row in its table.
    [[nodiscard]] std::uint64_t digest(std::uint64_t key, index_t first_row) const;

  private:
    static std::size_t word(index_t row) { return static_cast<std::size_t>(row) / 64U; }
    static unsigned bit(index_t row) { return static_cast<unsigned>(row) % 64U; }

    index_t rows_;
    index_t capacity_;                        // rows rounded up to whole chunks
    std::unique_ptr<std::uint64_t[]> cells_;  // value, time, number, `capacity_` of each
    std::array<std::uint64_t, 64> pending_{};
    mutable std::array<std::uint64_t, 64> sums_{};
    mutable std::uint64_t stale_ = 0;
    mutable std::uint64_t total_ = 0;
};

}  // namespace tiertwin
