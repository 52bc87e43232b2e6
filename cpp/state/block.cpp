#include "state/block.hpp"

#include <algorithm>
#include <cstring>

#include "state/digest.hpp"

namespace tiertwin {

Block::Block(index_t rows)
    : rows_(rows),
      capacity_((rows + kChunkRows - 1) / kChunkRows * kChunkRows),
      cells_(new std::uint64_t[static_cast<std::size_t>(3 * capacity_)]) {
    std::fill_n(values(), capacity_, std::numeric_limits<double>::quiet_NaN());
    std::fill_n(times(), capacity_, kNever);
    std::fill_n(numbers(), capacity_, std::uint64_t{0});
}

Block::Block(const Block& other)
    : newest(other.newest),
      rows_(other.rows_),
      capacity_(other.capacity_),
      cells_(new std::uint64_t[static_cast<std::size_t>(3 * capacity_)]),
      pending_(other.pending_),
      sums_(other.sums_),
      stale_(other.stale_),
      total_(other.total_) {
    std::memcpy(cells_.get(), other.cells_.get(), static_cast<std::size_t>(3 * capacity_) * sizeof(std::uint64_t));
}

void Block::touch(index_t first, index_t last) {
    const auto low = static_cast<unsigned>(first / kChunkRows);
    const auto high = static_cast<unsigned>(last / kChunkRows);
    stale_ |= (~std::uint64_t{0} >> (63U - (high - low))) << low;
}

namespace {

// Cells that count: numbered and not pending (bit i of `pending`). Written so that the compiler keeps four hashes
// going.
std::uint64_t chunk_sum(const double* value, const Time* time, const std::uint64_t* number, std::uint64_t pending,
                        std::uint64_t key) {
    std::uint64_t sum = 0;
    for (index_t i = 0; i < kChunkRows; ++i) {
        const auto row = static_cast<std::uint64_t>(i);
        const std::uint64_t counts = number[i] != 0 ? ~pending >> row & 1U : 0U;
        sum += cell_hash(key, row, time[i], canonical_bits(value[i])) & (0U - counts);
    }
    return sum;
}

}  // namespace

std::uint64_t Block::digest(std::uint64_t key, index_t first_row) const {
    for (; stale_ != 0; stale_ &= stale_ - 1) {
        const auto chunk = static_cast<std::size_t>(std::countr_zero(stale_));
        const auto at = static_cast<index_t>(chunk) * kChunkRows;
        const std::uint64_t row_key = key + static_cast<std::uint64_t>(first_row + at) * kRowStep;
        const std::uint64_t sum = chunk_sum(values() + at, times() + at, numbers() + at, pending_[chunk], row_key);
        total_ += sum - sums_[chunk];
        sums_[chunk] = sum;
    }
    return total_;
}

}  // namespace tiertwin
