// At most 4 096 rows of one column, shared between a table, its forks and its views, and copied on the first write.
//
// Arrays lie apart (value, time, number), so that a run of rows moves like memcpy. They are kept in chunks of 64 rows:
//   stale    the chunk's sum of cell hashes must be taken again, so a digest costs only what changed since the last one
//   stamped  its first cells came in one run, with one time and numbers in row order, and nobody wrote the others.
//            Three words stand for both arrays, which are filled in when somebody wants them whole (times(),
//            numbers(), cell()). Whole columns arrive that way, and a stamp moves 8 bytes a record instead of 24.
//
// While all its chunks are stamped a block has no times and numbers at all: 8 bytes a cell instead of 24.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "base/types.hpp"

namespace tiertwin {

inline constexpr index_t kBlockRows = 4096;
inline constexpr index_t kSmallBlockRows = 128;  // in a table of at most kBlockRows rows: see Column
inline constexpr index_t kChunkRows = 64;
inline constexpr Time kNever = std::numeric_limits<Time>::min();  // time of a cell nobody wrote; its value is NaN

class Block {
  public:
    explicit Block(index_t rows);  // 1 … kBlockRows, all cells unwritten
    Block(const Block& other);
    Block& operator=(const Block&) = delete;
    ~Block() = default;

    [[nodiscard]] index_t rows() const { return rows_; }
    [[nodiscard]] double* values() { return values_.get(); }
    [[nodiscard]] const double* values() const { return values_.get(); }
    [[nodiscard]] const Time* times() const { return spread(), times_.get(); }
    [[nodiscard]] const std::uint64_t* numbers() const { return spread(), numbers_.get(); }
    [[nodiscard]] Time* times() { return spread(), times_.get(); }
    [[nodiscard]] std::uint64_t* numbers() { return spread(), numbers_.get(); }
    // Of one cell, as it lies.
    [[nodiscard]] Time time(index_t row) const {
        if (!stamped(row)) return times_[static_cast<std::size_t>(row)];
        const Chunk& chunk = chunks_[word(row)];
        return bit(row) < chunk.stamp_rows ? chunk.stamp_time : kNever;
    }
    [[nodiscard]] std::uint64_t number(index_t row) const {
        if (!stamped(row)) return numbers_[static_cast<std::size_t>(row)];
        const Chunk& chunk = chunks_[word(row)];
        return bit(row) < chunk.stamp_rows ? chunk.stamp_number + bit(row) : 0;
    }

    // The same of the first n cells.
    void copy_times(Time* out, std::size_t n) const;
    void copy_numbers(std::uint64_t* out, std::size_t n) const;

    struct Cell {
        double& value;
        Time& time;
        std::uint64_t& number;
    };
    // One cell to look at or to change; who changes a numbered one also touches it.
    [[nodiscard]] Cell cell(index_t row) {
        if (stamped(row)) spread_chunk(word(row));
        return {values_[static_cast<std::size_t>(row)], times_[static_cast<std::size_t>(row)],
                numbers_[static_cast<std::size_t>(row)]};
    }
    // Time and number of n > 0 cells from `first` on, none of them pending: numbers `number`, number + 1, …; touches
    // them.
    void stamp(index_t first, index_t n, Time time, std::uint64_t number);
    // Puts stamps wherever one says the same as the cells; worth a look where whole columns are written at a time.
    void compact();
    [[nodiscard]] bool compacted() const { return times_ == nullptr; }
    // For a loop over scattered cells: row's cell will be wanted soon.
    void prefetch(index_t row) const;

    // Pending: written here, not numbered yet. Such a cell counts in the digest with its last numbered record.
    [[nodiscard]] bool pending(index_t row) const { return (chunks_[word(row)].pending >> bit(row) & 1U) != 0; }
    void set_pending(index_t row) { chunks_[word(row)].pending |= std::uint64_t{1} << bit(row); }
    void clear_pending(index_t row) { chunks_[word(row)].pending &= ~(std::uint64_t{1} << bit(row)); }

    // Cells first … last changed: their chunks are hashed again when the digest is next read.
    void touch(index_t first, index_t last);

    // A cell changed by so much in the sum of hashes: cheaper than touch() where few of a chunk's 64 rows change. True
    // if it was taken; false if the chunk is stale anyway.
    bool adjust(index_t row, std::uint64_t difference) {
        if ((stale_ >> word(row) & 1U) != 0) return false;
        chunks_[word(row)].sum += difference;
        total_ += difference;
        return true;
    }

    std::uint64_t newest = 0;  // no number in this block is higher

    // Sum of the hashes of numbered, not pending cells; `first_row` is this block's first row in its table.
    [[nodiscard]] std::uint64_t digest(std::uint64_t key, index_t first_row) const;

  private:
    struct Chunk {
        Time stamp_time = kNever;
        std::uint64_t stamp_number = 0;  // of the chunk's first row
        std::uint64_t pending = 0;       // a bit a row
        std::uint64_t sum = 0;           // of hashes
        std::uint32_t stamp_rows = 0;    // the chunk's first ones; nobody wrote the others
    };

    static std::size_t word(index_t row) { return static_cast<std::size_t>(row) / 64U; }
    static unsigned bit(index_t row) { return static_cast<unsigned>(row) % 64U; }

    [[nodiscard]] bool stamped(index_t row) const { return (stamped_ >> word(row) & 1U) != 0; }
    void spread() const {
        if (stamped_ != 0) spread_all();
    }
    void spread_all() const;
    void spread_chunk(std::size_t chunk) const;
    void narrow();
    [[nodiscard]] std::uint64_t all_chunks() const { return ~std::uint64_t{0} >> (64U - capacity_ / kChunkRows); }
    [[nodiscard]] std::uint32_t run_of(std::size_t chunk) const;

    index_t rows_;
    std::size_t capacity_;  // rows rounded up to whole chunks
    std::unique_ptr<double[]> values_;
    mutable std::unique_ptr<Time[]> times_;  // both or neither; without them every chunk is stamped
    mutable std::unique_ptr<std::uint64_t[]> numbers_;
    std::unique_ptr<Chunk[]> chunks_;
    mutable std::uint64_t stamped_;  // a bit a chunk
    mutable std::uint64_t stale_ = 0;
    mutable std::uint64_t total_ = 0;
};

}  // namespace tiertwin
