#include "sync/codec_write.hpp"

#include <algorithm>
#include <limits>

#include "sync/codec_bytes.hpp"

namespace tiertwin::sync {
namespace {

constexpr std::uint64_t kWidestSpan = std::uint64_t{std::numeric_limits<std::uint32_t>::max()} * kMicrosecond;

Time time_of(const Column& column, std::uint32_t row) {
    if (column.holds_bytes()) return column.bytes().at(row).time;
    const index_t b = column.block_of(row);
    return column.block(b)->time(row - column.first_row(b));
}

// Bytes of a block of n cells; `text` is the sum of their lengths (bytes columns).
std::size_t block_bytes(ValueType type, std::size_t n, bool one_time, std::size_t text) {
    const std::size_t values = type == ValueType::bytes ? 4 * (n + 1) + text : width_of(type) * n;
    return kBlockHeaderBytes + (one_time ? 1 : 2) * padded(4 * n) + padded(values);
}

template <typename T>
void write_values(std::uint8_t* to, const Column& column, std::span<const Column::Dirty> cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const index_t b = column.block_of(cells[i].row);
        const double value = column.block(b)->values()[cells[i].row - column.first_row(b)];
        store(to + sizeof(T) * i, static_cast<T>(value));
    }
}

void write_texts(std::uint8_t* to, const Column& column, std::span<const Column::Dirty> cells) {
    std::uint8_t* data = to + 4 * (cells.size() + 1);
    std::uint32_t end = 0;
    store(to, end);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string& text = column.bytes().at(cells[i].row).value;
        std::copy(text.begin(), text.end(), data + end);
        end += static_cast<std::uint32_t>(text.size());
        store(to + 4 * (i + 1), end);
    }
}

void write_values(std::uint8_t* to, const Column& column, std::span<const Column::Dirty> cells) {
    switch (column.attribute().type) {
        case ValueType::f64:
            return write_values<double>(to, column, cells);
        case ValueType::f32:
            return write_values<float>(to, column, cells);
        case ValueType::i64:
            return write_values<std::int64_t>(to, column, cells);
        case ValueType::u32:
            return write_values<std::uint32_t>(to, column, cells);
        case ValueType::bytes:
            return write_texts(to, column, cells);
    }
}

// late - early; times may lie further apart than a Time reaches.
std::uint64_t span(Time early, Time late) {
    return static_cast<std::uint64_t>(late) - static_cast<std::uint64_t>(early);
}

}  // namespace

BlockPlan plan_block(const Column& column, std::span<const Column::Dirty> cells, std::size_t room) {
    BlockPlan plan;
    const ValueType type = column.attribute().type;
    Time latest = 0;
    std::size_t text = 0;
    for (const Column::Dirty& cell : cells) {
        const Time time = time_of(column, cell.row);
        const Time early = plan.n == 0 ? time : std::min(plan.base_time, time);
        const Time late = plan.n == 0 ? time : std::max(latest, time);
        if (type == ValueType::bytes) text += column.bytes().at(cell.row).value.size();
        const bool one_time = early == late;
        if (span(early, late) > kWidestSpan || block_bytes(type, plan.n + 1, one_time, text) > room) break;
        plan = {plan.n + 1, one_time, early};
        latest = late;
    }
    return plan;
}

void write_block(Frame& frame, const Column& column, std::span<const Column::Dirty> cells, const BlockPlan& plan) {
    const ValueType type = column.attribute().type;
    const auto taken = cells.first(plan.n);
    std::size_t text = 0;
    if (type == ValueType::bytes) {
        for (const Column::Dirty& cell : taken) text += column.bytes().at(cell.row).value.size();
    }
    std::size_t at = frame.size();
    frame.resize(at + block_bytes(type, plan.n, plan.one_time, text));  // padding is zero
    std::uint8_t* to = frame.data() + at;
    store(to, column.attribute().id);
    to[2] = static_cast<std::uint8_t>(type);
    to[3] = plan.one_time ? kOneTime : 0;
    store(to + 4, static_cast<std::uint32_t>(plan.n));
    store(to + 8, plan.base_time);
    to += kBlockHeaderBytes;
    for (std::size_t i = 0; i < plan.n; ++i) store(to + 4 * i, taken[i].row);
    to += padded(4 * plan.n);
    if (!plan.one_time) {
        for (std::size_t i = 0; i < plan.n; ++i) {
            store(to + 4 * i,
                  static_cast<std::uint32_t>((time_of(column, taken[i].row) - plan.base_time) / kMicrosecond));
        }
        to += padded(4 * plan.n);
    }
    write_values(to, column, taken);
}

}  // namespace tiertwin::sync
