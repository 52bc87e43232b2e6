// StateTable: rows x attributes; the one table of every tier, both ways (telemetry, summary, cut, budget …).
//
// Thread safety  externally synchronised: one thread owns it and its forks. Others get copies.
// Cell           (value f64, time i64 ns in whole microseconds, number u64). One writer, ordered by the number in that
//                writer's stream, never by a clock (R7). Unwritten: NaN, kNever, 0.
// Blocks         4 096 rows of a column (128 in a table of no more rows than that: what few rows have should cost
//                little), shared with forks and views, copied on first write: a fork costs a pointer a block.
// Local writes   `set` leaves a cell *pending* (on a dirty list, not in a scan) until an encoder numbers it
// (R8). Digest         R14, lazily over what changed; a pending cell counts with its last numbered record. Unknown an
// attribute the schema does not have becomes an *opaque* column (at most kMaxOpaque of them), kept and
//                counted in the digest, so that it can go on upwards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/types.hpp"
#include "state/attribute.hpp"
#include "state/block.hpp"
#include "state/digest.hpp"

namespace tiertwin {

inline constexpr std::size_t kMaxOpaque = 16;

// A cell of a `bytes` column; they live beside the blocks, in a map copied on first write.
struct BytesCell {
    std::string value;
    Time time = kNever;
    std::uint64_t number = 0;
    bool pending = false;
};

struct BytesStore {
    std::map<std::uint32_t, BytesCell> cells;
    mutable std::uint64_t sum = 0;
    mutable bool stale = false;
};

class Column {
  public:
    Column(Attribute attribute, std::uint16_t table, index_t rows, bool opaque);

    [[nodiscard]] const Attribute& attribute() const { return attribute_; }
    [[nodiscard]] bool opaque() const { return opaque_; }
    [[nodiscard]] bool holds_bytes() const { return attribute_.type == ValueType::bytes; }
    [[nodiscard]] std::uint64_t key() const { return key_; }

    [[nodiscard]] index_t block_of(index_t row) const { return row >> shift_; }
    [[nodiscard]] index_t first_row(index_t b) const { return b << shift_; }
    [[nodiscard]] index_t block_count() const { return static_cast<index_t>(blocks_.size()); }
    [[nodiscard]] const Block* block(index_t b) const {
        return blocks_[static_cast<std::size_t>(b)].get();
    }  // or nullptr
    [[nodiscard]] std::shared_ptr<const Block> share(index_t b) const { return blocks_[static_cast<std::size_t>(b)]; }
    [[nodiscard]] Block& writable(index_t b);  // makes it, or copies it if somebody else holds it

    struct Dirty {
        std::uint32_t row;
        std::uint64_t old_hash;  // of the last numbered record, 0 without one
    };
    [[nodiscard]] const std::vector<Dirty>& dirty() const { return dirty_; }

    void expect(std::size_t writes);                                  // room for that many
    void write(index_t row, double value, Time time);                 // pending
    void write_bytes(index_t row, std::string_view text, Time time);  // pending
    // Numbers the first `count` dirty cells in ascending row order from `first`; call sort_dirty() before.
    void sort_dirty();
    void settle(std::size_t count, std::uint64_t first);
    void compact();

    [[nodiscard]] const std::map<std::uint32_t, BytesCell>& bytes() const;
    [[nodiscard]] std::map<std::uint32_t, BytesCell>& writable_bytes();  // its digest will be taken afresh
    [[nodiscard]] std::uint64_t digest() const;
    [[nodiscard]] bool equal(const Column& other) const;

  private:
    Attribute attribute_;
    std::uint64_t key_;
    index_t rows_;
    unsigned shift_;  // log2 of the rows of a block
    bool opaque_;
    std::vector<std::shared_ptr<Block>> blocks_;
    std::shared_ptr<BytesStore> bytes_;
    std::vector<Dirty> dirty_;
    std::uint64_t pending_sum_ = 0;  // sum of old_hash over dirty_
};

class StateTable {
  public:
    // `attributes` must be in `registry` (NotFound); rows in 1 … 2^32 - 1; table_id > 0.
    StateTable(const AttributeRegistry& registry, std::uint16_t table_id, const std::vector<AttributeId>& attributes,
               index_t rows);

    [[nodiscard]] StateTable fork() const { return *this; }
    [[nodiscard]] StateTable empty_like() const;  // same schema, no cell written

    [[nodiscard]] std::uint16_t table_id() const { return table_id_; }
    [[nodiscard]] index_t rows() const { return rows_; }
    [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
    [[nodiscard]] std::vector<AttributeId> attributes() const;  // of the schema, ascending
    [[nodiscard]] std::vector<AttributeId> opaque() const;      // carried, ascending

    // Local writes; nothing is written unless everything is in order (InvalidArgument, NotFound). Times are rounded to
    // whole microseconds and values to the wire type, so that both ends hold the same cell. With `use_deadband` a cell
    // that moved by no more than the attribute's dead-band since its last write, within half its max age, is left
    // alone. Returns the cells written.
    index_t set(AttributeId attribute, std::span<const std::uint32_t> rows, std::span<const double> values, Time time,
                bool use_deadband = false);
    // The same with a time for each row.
    index_t set(AttributeId attribute, std::span<const std::uint32_t> rows, std::span<const double> values,
                std::span<const Time> times, bool use_deadband = false);
    // Several attributes of the same rows, as a device reports them: `values` row by row, one column an attribute; NaN
    // is not written. Nothing is written unless everything can be.
    index_t set_rows(std::span<const AttributeId> attributes, std::span<const std::uint32_t> rows,
                     std::span<const double> values, std::span<const Time> times);
    void set_bytes(AttributeId attribute, std::uint32_t row, std::string_view value, Time time);
    [[nodiscard]] index_t dirty_count() const;
    // Gives every pending cell a number from `first` on, without a frame (before a snapshot); returns how many.
    index_t settle(std::uint64_t first);
    // Gives up times and numbers that a stamp describes (see Block); no cell changes. For a table whose columns are
    // written as a whole: what is scattered has no stamps, and what is written next is filled in again.
    void compact();

    [[nodiscard]] double value(AttributeId attribute, index_t row) const;
    [[nodiscard]] Time time(AttributeId attribute, index_t row) const;
    // The earliest time of a numeric column's cells that is later than `after`; kNever: there is none.
    [[nodiscard]] Time oldest(AttributeId attribute, Time after) const;
    [[nodiscard]] std::uint64_t number(AttributeId attribute, index_t row) const;
    void copy_values(AttributeId attribute, std::span<double> out) const;
    void copy_times(AttributeId attribute, std::span<Time> out) const;
    void copy_numbers(AttributeId attribute, std::span<std::uint64_t> out) const;
    [[nodiscard]] const BytesCell* bytes(AttributeId attribute, index_t row) const;  // nullptr: unwritten

    [[nodiscard]] std::uint64_t digest() const;
    // Same table id, rows and cells (value and time; not the number).
    [[nodiscard]] bool equal(const StateTable& other) const;

    // For the codec. Columns are in ascending attribute order, opaque ones included.
    [[nodiscard]] std::vector<Column>& columns() { return columns_; }
    [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
    [[nodiscard]] Column* find(AttributeId attribute);
    [[nodiscard]] const Column* find(AttributeId attribute) const;
    [[nodiscard]] std::size_t opaque_count() const;
    Column& add_opaque(AttributeId attribute, ValueType type);  // InvalidArgument: beyond kMaxOpaque, or not admitted

    // From now on nothing above a privacy class can stand in this table, and in no copy of it: an attribute that the
    // schema does not have is private unless `declared`. InvalidArgument: it holds such an attribute already.
    void seal(int most, std::vector<AttributeId> declared);
    [[nodiscard]] bool admits_unknown(AttributeId attribute) const;

    // Nothing of this table survives, also not what is pending (the swap after a snapshot).
    void swap(StateTable& other) noexcept;

  private:
    template <typename TimeOf>
    index_t write_all(Column& column, std::span<const std::uint32_t> rows, std::span<const double> values,
                      TimeOf time_of, bool use_deadband);
    void check_rows(const Attribute& attribute, std::span<const std::uint32_t> rows) const;
    [[nodiscard]] const Column& require(AttributeId attribute) const;
    [[nodiscard]] Column& require(AttributeId attribute);
    [[nodiscard]] const Column& require_numeric(AttributeId attribute) const;
    [[nodiscard]] std::pair<const Block*, index_t> require_block(AttributeId attribute, index_t row) const;
    void check_row(index_t row) const;

    std::uint16_t table_id_;
    index_t rows_;
    std::uint64_t fingerprint_;
    std::vector<Column> columns_;
    bool sealed_ = false;
    std::vector<AttributeId> declared_;  // unknown attributes that a sealed table may carry
};

// Nearest whole microsecond, ties away from zero.
[[nodiscard]] Time round_to_microsecond(Time time);

}  // namespace tiertwin
