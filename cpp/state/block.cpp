#include "state/block.hpp"

#include <algorithm>
#include <numeric>

#include "state/digest.hpp"
#include "state/wide.hpp"

namespace tiertwin {

Block::Block(index_t rows)
    : rows_(rows),
      capacity_(static_cast<std::size_t>((rows + kChunkRows - 1) / kChunkRows * kChunkRows)),
      values_(new double[capacity_]),
      chunks_(new Chunk[capacity_ / kChunkRows]),
      stamped_(all_chunks()) {
    std::fill_n(values_.get(), capacity_, std::numeric_limits<double>::quiet_NaN());
}

Block::Block(const Block& other)
    : newest(other.newest),
      rows_(other.rows_),
      capacity_(other.capacity_),
      values_(new double[capacity_]),
      chunks_(new Chunk[capacity_ / kChunkRows]),
      stamped_(other.stamped_),
      stale_(other.stale_),
      total_(other.total_) {
    std::copy_n(other.values_.get(), capacity_, values_.get());
    std::copy_n(other.chunks_.get(), capacity_ / kChunkRows, chunks_.get());
    if (other.compacted()) return;
    times_.reset(new Time[capacity_]);
    numbers_.reset(new std::uint64_t[capacity_]);
    other.copy_times(times_.get(), capacity_);
    other.copy_numbers(numbers_.get(), capacity_);
}

void Block::copy_times(Time* out, std::size_t n) const {
    for (std::size_t at = 0; at < n; at += kChunkRows) {
        const std::size_t rows = std::min<std::size_t>(kChunkRows, n - at);
        if ((stamped_ >> at / kChunkRows & 1U) == 0) {
            std::copy_n(times_.get() + at, rows, out + at);
            continue;
        }
        const Chunk& chunk = chunks_[at / kChunkRows];
        const std::size_t known = std::min<std::size_t>(rows, chunk.stamp_rows);
        std::fill_n(out + at, known, chunk.stamp_time);
        std::fill_n(out + at + known, rows - known, kNever);
    }
}

void Block::copy_numbers(std::uint64_t* out, std::size_t n) const {
    for (std::size_t at = 0; at < n; at += kChunkRows) {
        const std::size_t rows = std::min<std::size_t>(kChunkRows, n - at);
        if ((stamped_ >> at / kChunkRows & 1U) == 0) {
            std::copy_n(numbers_.get() + at, rows, out + at);
            continue;
        }
        const Chunk& chunk = chunks_[at / kChunkRows];
        const std::size_t known = std::min<std::size_t>(rows, chunk.stamp_rows);
        std::iota(out + at, out + at + known, chunk.stamp_number);
        std::fill_n(out + at + known, rows - known, std::uint64_t{0});
    }
}

void Block::touch(index_t first, index_t last) {
    const auto low = static_cast<unsigned>(first / kChunkRows);
    const auto high = static_cast<unsigned>(last / kChunkRows);
    stale_ |= (~std::uint64_t{0} >> (63U - (high - low))) << low;
}

// A run that leaves no other written cell in a chunk becomes its stamp; else the chunk is written out.
void Block::stamp(index_t first, index_t n, Time time, std::uint64_t number) {
    const index_t end = first + n;
    for (index_t at = first; at < end;) {
        const index_t next = std::min(end, (at / kChunkRows + 1) * kChunkRows);
        const std::uint64_t here = number + static_cast<std::uint64_t>(at - first);
        const auto rows = static_cast<std::uint32_t>(next - at);
        Chunk& chunk = chunks_[word(at)];
        const bool whole = rows == kChunkRows || next == rows_ || (stamped(at) && chunk.stamp_rows <= rows);
        if (bit(at) == 0 && whole) {
            chunk.stamp_time = time;
            chunk.stamp_number = here;
            chunk.stamp_rows = rows;
            stamped_ |= std::uint64_t{1} << word(at);
        } else {
            if (stamped(at)) spread_chunk(word(at));
            std::fill(times_.get() + at, times_.get() + next, time);
            std::iota(numbers_.get() + at, numbers_.get() + next, here);
        }
        at = next;
    }
    newest = std::max(newest, number + static_cast<std::uint64_t>(n) - 1);
    touch(first, end - 1);
    narrow();
}

void Block::compact() {
    for (std::uint64_t left = all_chunks() & ~stamped_; left != 0; left &= left - 1) {
        const auto at = static_cast<std::size_t>(std::countr_zero(left));
        const std::uint32_t rows = run_of(at);
        if (rows == 0) continue;
        chunks_[at].stamp_time = times_[at * kChunkRows];
        chunks_[at].stamp_number = numbers_[at * kChunkRows];
        chunks_[at].stamp_rows = rows;
        stamped_ |= std::uint64_t{1} << at;
    }
    narrow();
}

// Rows of the stamp that says what the chunk's cells say; 0 if none does.
std::uint32_t Block::run_of(std::size_t chunk) const {
    const Time* time = times_.get() + chunk * kChunkRows;
    const std::uint64_t* number = numbers_.get() + chunk * kChunkRows;
    if (chunks_[chunk].pending != 0 || number[0] == 0) return 0;
    std::uint32_t rows = 1;
    while (rows < kChunkRows && time[rows] == time[0] && number[rows] == number[0] + rows) ++rows;
    const bool alone = std::all_of(time + rows, time + kChunkRows, [](Time t) { return t == kNever; });
    return alone ? rows : 0;
}

void Block::narrow() {
    if (stamped_ != all_chunks()) return;
    times_.reset();
    numbers_.reset();
}

void Block::spread_chunk(std::size_t chunk) const {
    if (compacted()) {  // each chunk's part is filled in when it is spread
        times_.reset(new Time[capacity_]);
        numbers_.reset(new std::uint64_t[capacity_]);
    }
    const std::size_t at = chunk * kChunkRows;
    const std::size_t rows = chunks_[chunk].stamp_rows;
    Time* time = times_.get() + at;
    std::uint64_t* number = numbers_.get() + at;
    std::fill_n(time, rows, chunks_[chunk].stamp_time);
    std::iota(number, number + rows, chunks_[chunk].stamp_number);
    std::fill(time + rows, time + kChunkRows, kNever);
    std::fill(number + rows, number + kChunkRows, std::uint64_t{0});
    stamped_ &= ~(std::uint64_t{1} << chunk);
}

void Block::spread_all() const {
    while (stamped_ != 0) spread_chunk(static_cast<std::size_t>(std::countr_zero(stamped_)));
}

void Block::prefetch(index_t row) const {
    const auto at = static_cast<std::size_t>(row);
    __builtin_prefetch(values_.get() + at, 1);
    if (compacted()) return;
    __builtin_prefetch(times_.get() + at, 1);
    __builtin_prefetch(numbers_.get() + at, 1);
}

namespace {

// Cells that count: numbered and not pending (bit i of `pending`). A numbered value is never NaN, so adding 0.0 is all
// it takes to make its bits canonical. Wide: 0.5 ns a cell, 1.7 without.
TIERTWIN_WIDE std::uint64_t chunk_sum(const double* value, const Time* time, const std::uint64_t* number,
                                      std::uint64_t pending, std::uint64_t key) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kChunkRows; ++i) {
        const std::uint64_t hash = cell_hash(key, i, time[i], std::bit_cast<std::uint64_t>(value[i] + 0.0));
        const bool counts = number[i] != 0 && (pending >> i & 1U) == 0;
        sum += counts ? hash : 0;
    }
    return sum;
}

// All of them count.
TIERTWIN_WIDE std::uint64_t stamped_sum(const double* value, std::uint64_t rows, Time time, std::uint64_t key) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < rows; ++i) {
        sum += cell_hash(key, i, time, std::bit_cast<std::uint64_t>(value[i] + 0.0));
    }
    return sum;
}

}  // namespace

std::uint64_t Block::digest(std::uint64_t key, index_t first_row) const {
    for (; stale_ != 0; stale_ &= stale_ - 1) {
        const auto chunk = static_cast<std::size_t>(std::countr_zero(stale_));
        const std::size_t at = chunk * kChunkRows;
        const std::uint64_t row_key = key + (static_cast<std::uint64_t>(first_row) + at) * kRowStep;
        const Chunk& held = chunks_[chunk];
        const std::uint64_t sum =
            (stamped_ >> chunk & 1U) != 0
                ? stamped_sum(values_.get() + at, held.stamp_rows, held.stamp_time, row_key)
                : chunk_sum(values_.get() + at, times_.get() + at, numbers_.get() + at, held.pending, row_key);
        total_ += sum - chunks_[chunk].sum;
        chunks_[chunk].sum = sum;
    }
    return total_;
}

}  // namespace tiertwin
