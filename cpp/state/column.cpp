#include <algorithm>
#include <bit>

#include "state/table.hpp"

namespace tiertwin {
namespace {

constexpr std::size_t kKeptDirty = 64;  // entries: a process may hold thousands of columns between their reports

bool same_cells(const Block& a, const Block& b) {
    for (index_t i = 0; i < a.rows(); ++i) {
        if (a.time(i) != b.time(i) || canonical_bits(a.values()[i]) != canonical_bits(b.values()[i])) return false;
    }
    return true;
}

bool unwritten(const Block& a) {
    for (index_t i = 0; i < a.rows(); ++i) {
        if (a.time(i) != kNever) return false;
    }
    return true;
}

bool same_block(const Block* a, const Block* b) {
    if (a == b) return true;
    if (a == nullptr) return unwritten(*b);
    if (b == nullptr) return unwritten(*a);
    return same_cells(*a, *b);
}

}  // namespace

Column::Column(Attribute attribute, std::uint16_t table, index_t rows, bool opaque)
    : attribute_(std::move(attribute)),
      key_(column_key(table, attribute_.id)),
      rows_(rows),
      shift_(static_cast<unsigned>(
          std::countr_zero(static_cast<std::uint64_t>(rows > kBlockRows ? kBlockRows : kSmallBlockRows)))),
      opaque_(opaque) {
    if (holds_bytes()) {
        bytes_ = std::make_shared<BytesStore>();
    } else {
        blocks_.resize(static_cast<std::size_t>(block_of(rows - 1) + 1));
    }
}

Block& Column::writable(index_t b) {
    std::shared_ptr<Block>& block = blocks_[static_cast<std::size_t>(b)];
    if (!block) {
        block = std::make_shared<Block>(std::min(first_row(1), rows_ - first_row(b)));
    } else if (block.use_count() > 1) {
        block = std::make_shared<Block>(*block);
    }
    return *block;
}

void Column::compact() {
    for (const std::shared_ptr<Block>& block : blocks_) {
        if (block && block.use_count() == 1) block->compact();
    }
}

void Column::expect(std::size_t writes) {
    const std::size_t wanted = dirty_.size() + writes;
    if (wanted > dirty_.capacity()) dirty_.reserve(std::max(wanted, 2 * dirty_.capacity()));
}

void Column::write(index_t row, double value, Time time) {
    const index_t b = block_of(row);
    const index_t at = row - first_row(b);
    Block& block = writable(b);
    const Block::Cell cell = block.cell(at);
    if (!block.pending(at)) {
        std::uint64_t old = 0;
        if (cell.number != 0) {
            old = cell_hash(key_, static_cast<std::uint64_t>(row), cell.time, canonical_bits(cell.value));
            block.touch(at, at);
        }
        block.set_pending(at);
        dirty_.push_back({static_cast<std::uint32_t>(row), old});
        pending_sum_ += old;
    }
    cell.value = value;
    cell.time = time;
}

void Column::write_bytes(index_t row, std::string_view text, Time time) {
    const auto key = static_cast<std::uint32_t>(row);
    BytesCell& cell = writable_bytes()[key];
    if (!cell.pending) {
        const std::uint64_t old = cell.number == 0 ? 0 : cell_hash(key_, key, cell.time, bytes_bits(cell.value));
        cell.pending = true;
        dirty_.push_back({key, old});
        pending_sum_ += old;
    }
    cell.value = text;
    cell.time = time;
}

void Column::sort_dirty() {
    const auto by_row = [](const Dirty& a, const Dirty& b) { return a.row < b.row; };
    if (!std::is_sorted(dirty_.begin(), dirty_.end(), by_row)) std::sort(dirty_.begin(), dirty_.end(), by_row);
}

void Column::settle(std::size_t count, std::uint64_t first) {
    for (std::size_t i = 0; i < count; ++i) {
        const Dirty& entry = dirty_[i];
        pending_sum_ -= entry.old_hash;
        const std::uint64_t number = first + i;
        if (holds_bytes()) {
            BytesCell& cell = writable_bytes()[entry.row];
            cell.pending = false;
            cell.number = number;
            continue;
        }
        const index_t b = block_of(entry.row);
        const index_t at = static_cast<index_t>(entry.row) - first_row(b);
        Block& block = writable(b);
        block.clear_pending(at);
        block.cell(at).number = number;
        block.newest = std::max(block.newest, number);
        block.touch(at, at);
    }
    dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(count));
    if (dirty_.empty() && dirty_.capacity() > kKeptDirty) dirty_.shrink_to_fit();
}

const std::map<std::uint32_t, BytesCell>& Column::bytes() const { return bytes_->cells; }

std::map<std::uint32_t, BytesCell>& Column::writable_bytes() {
    if (bytes_.use_count() > 1) bytes_ = std::make_shared<BytesStore>(*bytes_);
    bytes_->stale = true;
    return bytes_->cells;
}

std::uint64_t Column::digest() const {
    std::uint64_t sum = pending_sum_;
    if (!holds_bytes()) {
        for (index_t b = 0; b < block_count(); ++b) {
            if (const Block* block = this->block(b)) sum += block->digest(key_, first_row(b));
        }
        return sum;
    }
    if (bytes_->stale) {
        bytes_->sum = 0;
        for (const auto& [row, cell] : bytes_->cells) {
            if (cell.number != 0 && !cell.pending)
                bytes_->sum += cell_hash(key_, row, cell.time, bytes_bits(cell.value));
        }
        bytes_->stale = false;
    }
    return sum + bytes_->sum;
}

bool Column::equal(const Column& other) const {
    if (attribute_.id != other.attribute_.id || attribute_.type != other.attribute_.type) return false;
    if (holds_bytes()) {
        return std::equal(bytes().begin(), bytes().end(), other.bytes().begin(), other.bytes().end(),
                          [](const auto& a, const auto& b) {
                              return a.first == b.first && a.second.time == b.second.time &&
                                     a.second.value == b.second.value;
                          });
    }
    for (index_t b = 0; b < block_count(); ++b) {
        if (!same_block(block(b), other.block(b))) return false;
    }
    return true;
}

}  // namespace tiertwin
