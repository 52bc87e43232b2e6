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
      times_(new Time[capacity_]),
      numbers_(new std::uint64_t[capacity_]),
      chunks_(new Chunk[capacity_ / kChunkRows]) {
    std::fill_n(values_.get(), capacity_, std::numeric_limits<double>::quiet_NaN());
    std::fill_n(times_.get(), capacity_, kNever);
    std::fill_n(numbers_.get(), capacity_, std::uint64_t{0});
}

Block::Block(const Block& other)
    : newest(other.newest),
      rows_(other.rows_),
      capacity_(other.capacity_),
      values_(new double[capacity_]),
      times_(new Time[capacity_]),
      numbers_(new std::uint64_t[capacity_]),
      chunks_(new Chunk[capacity_ / kChunkRows]),
      stamped_(other.stamped_),
      stale_(other.stale_),
      total_(other.total_) {
    std::copy_n(other.values_.get(), capacity_, values_.get());
    std::copy_n(other.times_.get(), capacity_, times_.get());
    std::copy_n(other.numbers_.get(), capacity_, numbers_.get());
    std::copy_n(other.chunks_.get(), capacity_ / kChunkRows, chunks_.get());
}

void Block::touch(index_t first, index_t last) {
    const auto low = static_cast<unsigned>(first / kChunkRows);
    const auto high = static_cast<unsigned>(last / kChunkRows);
    stale_ |= (~std::uint64_t{0} >> (63U - (high - low))) << low;
}

// Whole chunks get a stamp, what is left at both ends is written out. Chunks are whole only if all 64 rows exist.
void Block::stamp(index_t first, index_t n, Time time, std::uint64_t number) {
    const index_t end = first + n;
    for (index_t at = first; at < end;) {
        const std::size_t chunk = word(at);
        const index_t next = std::min(end, (at / kChunkRows + 1) * kChunkRows);
        const std::uint64_t here = number + static_cast<std::uint64_t>(at - first);
        if (next - at == kChunkRows) {
            chunks_[chunk].stamp_time = time;
            chunks_[chunk].stamp_number = here;
            stamped_ |= std::uint64_t{1} << chunk;
        } else {
            if (stamped(at)) spread_chunk(chunk);
            std::fill(times_.get() + at, times_.get() + next, time);
            std::iota(numbers_.get() + at, numbers_.get() + next, here);
        }
        at = next;
    }
    newest = std::max(newest, number + static_cast<std::uint64_t>(n) - 1);
    touch(first, end - 1);
}

void Block::spread_chunk(std::size_t chunk) const {
    const std::size_t at = chunk * kChunkRows;
    std::fill_n(times_.get() + at, kChunkRows, chunks_[chunk].stamp_time);
    std::iota(numbers_.get() + at, numbers_.get() + at + kChunkRows, chunks_[chunk].stamp_number);
    stamped_ &= ~(std::uint64_t{1} << chunk);
}

void Block::spread_all() const {
    while (stamped_ != 0) spread_chunk(static_cast<std::size_t>(std::countr_zero(stamped_)));
}

void Block::prefetch(index_t row) const {
    const auto at = static_cast<std::size_t>(row);
    __builtin_prefetch(values_.get() + at, 1);
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

// All 64 count.
TIERTWIN_WIDE std::uint64_t stamped_sum(const double* value, Time time, std::uint64_t key) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kChunkRows; ++i) {
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
        const std::uint64_t sum = (stamped_ >> chunk & 1U) != 0
                                      ? stamped_sum(values_.get() + at, chunks_[chunk].stamp_time, row_key)
                                      : chunk_sum(values_.get() + at, times_.get() + at, numbers_.get() + at,
                                                  chunks_[chunk].pending, row_key);
        total_ += sum - chunks_[chunk].sum;
        chunks_[chunk].sum = sum;
    }
    return total_;
}

}  // namespace tiertwin
