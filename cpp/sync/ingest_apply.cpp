// The second pass: every check is behind us, so these loops only move cells.
#include <algorithm>
#include <numeric>
#include <string>

#include "base/error.hpp"
#include "sync/ingest.hpp"
#include "sync/ingest_values.hpp"

namespace tiertwin::sync {
namespace {

// One block of a frame on its way into one column.
struct Run {
    const BlockView& block;
    std::uint64_t number;  // of record 0
    std::uint64_t step;    // 1 in a DELTA, 0 in a SNAPSHOT (all as of one number)
    std::size_t from;      // first record beyond the cursor

    [[nodiscard]] std::uint64_t number_of(std::size_t i) const { return number + step * i; }
    [[nodiscard]] Time time_of(std::size_t i) const {
        return block.dt == nullptr ? block.base_time
                                   : block.base_time + Time{load<std::uint32_t>(block.dt + 4 * i)} * kMicrosecond;
    }
    [[nodiscard]] std::uint32_t row_of(std::size_t i) const { return load<std::uint32_t>(block.rows + 4 * i); }
};

// Consecutive rows, newer than everything in the cells' block: no comparison, plain columns.
template <typename T>
void move_columns(const Run& run, std::size_t i, std::size_t n, Block& to, index_t at) {
    double* value = to.values() + at;
    for (std::size_t k = 0; k < n; ++k) value[k] = value_at<T>(run.block.values, i + k);
    if (run.block.dt == nullptr && run.step == 1) {
        return to.stamp(at, static_cast<index_t>(n), run.block.base_time, run.number_of(i));
    }
    Time* time = to.times() + at;
    std::uint64_t* number = to.numbers() + at;
    for (std::size_t k = 0; k < n; ++k) time[k] = run.time_of(i + k);
    for (std::size_t k = 0; k < n; ++k) number[k] = run.number_of(i + k);
    to.newest = run.number_of(i + n - 1);
    to.touch(at, at + static_cast<index_t>(n) - 1);
}

std::uint64_t hash_of(const Block::Cell& cell, std::uint64_t key, std::uint32_t row) {
    return cell.number == 0 ? 0 : cell_hash(key, row, cell.time, canonical_bits(cell.value));
}

// Any rows, cell by cell. Few of them: their hashes are exchanged at once, while the cells are at hand (two hashes a
// cell against 64 a chunk later, which doubled the time of scattered rows).
template <typename T>
std::uint32_t move_cells(const Run& run, std::size_t i, std::size_t n, Block& to, index_t first_row,
                         std::uint64_t key) {
    constexpr std::size_t kAhead = 32;
    const bool few = static_cast<index_t>(n) * 8 < to.rows();
    std::uint32_t applied = 0;
    for (std::size_t k = i; k < i + n; ++k) {
        if (k + kAhead < i + n) to.prefetch(static_cast<index_t>(run.row_of(k + kAhead)) - first_row);
        const std::uint32_t row = run.row_of(k);
        const index_t at = static_cast<index_t>(row) - first_row;
        const Block::Cell cell = to.cell(at);
        if (run.number_of(k) <= cell.number) continue;
        const std::uint64_t before = few ? hash_of(cell, key, row) : 0;
        cell.value = value_at<T>(run.block.values, k);
        cell.time = run.time_of(k);
        cell.number = run.number_of(k);
        if (!few || !to.adjust(at, hash_of(cell, key, row) - before)) to.touch(at, at);
        ++applied;
    }
    if (applied != 0) to.newest = std::max(to.newest, run.number_of(i + n - 1));
    return applied;
}

// Records i … of the run that fall into the same block of the column.
std::size_t same_block(const Run& run, std::size_t i, const Column& column, index_t b, bool consecutive) {
    if (consecutive) {
        const auto left = static_cast<std::size_t>(column.first_row(b + 1) - index_t{run.row_of(i)});
        return std::min<std::size_t>(left, run.block.n - i);
    }
    std::size_t end = i + 1;
    while (end < run.block.n && column.block_of(run.row_of(end)) == b) ++end;
    return end - i;
}

template <typename T>
std::uint32_t apply_numbers(const Run& run, Column& column) {
    const bool consecutive = rows_consecutive(run.block.rows, run.block.n);
    std::uint32_t applied = 0;
    for (std::size_t i = run.from; i < run.block.n;) {
        const index_t b = column.block_of(run.row_of(i));
        const std::size_t n = same_block(run, i, column, b, consecutive);
        const Block* present = column.block(b);
        const std::uint64_t newest = present ? present->newest : 0;
        if (consecutive && run.number_of(i) > newest) {
            move_columns<T>(run, i, n, column.writable(b), index_t{run.row_of(i)} - column.first_row(b));
            applied += static_cast<std::uint32_t>(n);
        } else {
            applied += move_cells<T>(run, i, n, column.writable(b), column.first_row(b), column.key());
        }
        i += n;
    }
    return applied;
}

std::uint32_t apply_bytes(const Run& run, Column& column) {
    auto& cells = column.writable_bytes();
    std::uint32_t applied = 0;
    for (std::size_t i = run.from; i < run.block.n; ++i) {
        BytesCell& cell = cells[run.row_of(i)];
        if (run.number_of(i) <= cell.number) continue;
        const auto begin = load<std::uint32_t>(run.block.values + 4 * i);
        const auto end = load<std::uint32_t>(run.block.values + 4 * (i + 1));
        cell.value.assign(reinterpret_cast<const char*>(run.block.data) + begin, end - begin);
        cell.time = run.time_of(i);
        cell.number = run.number_of(i);
        ++applied;
    }
    return applied;
}

}  // namespace

std::uint32_t apply_records(StateTable& table, const Header& header, Bytes blocks, std::uint64_t cursor) {
    if (table.dirty_count() != 0) {
        throw InvalidArgument("table " + std::to_string(table.table_id()) +
                              " has local writes that are not sent: a table has one writer (R15)");
    }
    const std::uint64_t step = header.kind == Kind::snapshot ? 0 : 1;
    std::uint64_t number = header.number;
    std::uint32_t applied = 0;
    BlockView block;
    for (Bytes rest = blocks; !rest.empty(); rest = rest.subspan(block.size)) {
        (void)parse_block(rest, false, block);
        const std::uint64_t old = step == 0 || cursor < number ? 0 : cursor - number + 1;
        Run run{block, number, step, static_cast<std::size_t>(std::min<std::uint64_t>(old, block.n))};
        number += step * block.n;
        if (run.from == block.n) continue;
        Column* column = table.find(block.attribute);
        if (column == nullptr) column = &table.add_opaque(block.attribute, block.type);
        applied += block.type == ValueType::bytes
                       ? apply_bytes(run, *column)
                       : with_type(block.type, [&]<typename T>(T) { return apply_numbers<T>(run, *column); });
    }
    return applied;
}

}  // namespace tiertwin::sync
