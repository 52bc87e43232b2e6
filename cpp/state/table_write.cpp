// Local writes: everything is looked at before the first cell is written, and written as the other end will have it.
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "state/table.hpp"

namespace tiertwin {
namespace {

constexpr Time kTimeLimit = 9'000'000'000'000'000'000;  // sync::kMaxBaseTime: what a frame can say

Time checked_time(const Attribute& a, Time time) {
    if (time < -kTimeLimit || time > kTimeLimit) {
        throw InvalidArgument(named(a) + ": expected a time within ±9e18 ns, got " + std::to_string(time));
    }
    return round_to_microsecond(time);
}

// The value as the wire and the other end will have it.
double as_held(const Attribute& a, double value) {
    return a.type == ValueType::f32 ? static_cast<double>(static_cast<float>(value)) : value;
}

// The value as it will be on the wire; says what is wrong with one that cannot go there.
double checked_value(const Attribute& a, double value, std::uint32_t row) {
    const double rounded = a.type == ValueType::f32 && std::abs(value) <= std::numeric_limits<float>::max()
                               ? static_cast<double>(static_cast<float>(value))
                               : value;
    if (!(rounded >= a.low && rounded <= a.high)) {
        throw InvalidArgument(named(a) + ": expected a value in [" + std::to_string(a.low) + ", " +
                              std::to_string(a.high) + "] " + a.unit + ", got " + std::to_string(value) + " at row " +
                              std::to_string(row));
    }
    const bool integer = a.type == ValueType::i64 || a.type == ValueType::u32;
    if (integer && rounded != std::trunc(rounded)) {
        throw InvalidArgument(named(a) + ": expected an integer (" + std::string(name_of(a.type)) + "), got " +
                              std::to_string(value) + " at row " + std::to_string(row));
    }
    return rounded;
}

// On-change with a floor: nearly the same value is not worth a record until half its age bound is over.
bool within_deadband(const Column& column, index_t row, double value, Time time) {
    const Attribute& a = column.attribute();
    const index_t b = column.block_of(row);
    const Block* block = column.block(b);
    if (block == nullptr) return false;
    const index_t at = row - column.first_row(b);
    const Time last = block->time(at);
    if (last == kNever || std::abs(value - block->values()[at]) > a.deadband) return false;
    return a.max_age_ms == 0 || time - last < a.max_age_ms * (kMillisecond / 2);
}

}  // namespace

Time round_to_microsecond(Time time) {
    const Time rest = time % kMicrosecond;
    const Time whole = time - rest;
    if (rest >= kMicrosecond / 2) return whole + kMicrosecond;
    return rest <= -kMicrosecond / 2 ? whole - kMicrosecond : whole;
}

index_t StateTable::set(AttributeId attribute, std::span<const std::uint32_t> rows, std::span<const double> values,
                        Time time, bool use_deadband) {
    Column& column = require(attribute);
    const Time at = checked_time(column.attribute(), time);
    return write_all(column, rows, values, [at](std::size_t) { return at; }, use_deadband);
}

index_t StateTable::set(AttributeId attribute, std::span<const std::uint32_t> rows, std::span<const double> values,
                        std::span<const Time> times, bool use_deadband) {
    Column& column = require(attribute);
    if (rows.size() != times.size()) {
        throw InvalidArgument(named(column.attribute()) + ": expected one time per row, got " +
                              std::to_string(rows.size()) + " rows and " + std::to_string(times.size()) + " times");
    }
    for (const Time time : times) (void)checked_time(column.attribute(), time);
    return write_all(column, rows, values, [&](std::size_t i) { return round_to_microsecond(times[i]); }, use_deadband);
}

// Times are in order already; everything else is looked at before the first cell is written.
template <typename TimeOf>
index_t StateTable::write_all(Column& column, std::span<const std::uint32_t> rows, std::span<const double> values,
                              TimeOf time_of, bool use_deadband) {
    const Attribute& a = column.attribute();
    if (column.holds_bytes()) throw InvalidArgument(named(a) + " holds bytes: use set_bytes");
    if (rows.size() != values.size()) {
        throw InvalidArgument(named(a) + ": expected one value per row, got " + std::to_string(rows.size()) +
                              " rows and " + std::to_string(values.size()) + " values");
    }
    check_rows(a, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) (void)checked_value(a, values[i], rows[i]);
    index_t written = 0;
    if (!use_deadband) column.expect(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double value = as_held(a, values[i]);
        if (use_deadband && within_deadband(column, rows[i], value, time_of(i))) continue;
        column.write(rows[i], value, time_of(i));
        ++written;
    }
    return written;
}

void StateTable::check_rows(const Attribute& attribute, std::span<const std::uint32_t> rows) const {
    for (const std::uint32_t row : rows) {
        if (row < rows_) continue;
        throw InvalidArgument(named(attribute) + ": expected a row below " + std::to_string(rows_) + ", got " +
                              std::to_string(row));
    }
}

index_t StateTable::set_rows(std::span<const AttributeId> attributes, std::span<const std::uint32_t> rows,
                             std::span<const double> values, std::span<const Time> times) {
    const std::size_t width = attributes.size();
    if (rows.size() != times.size() || rows.size() * width != values.size()) {
        throw InvalidArgument("table " + std::to_string(table_id_) + ": expected a time and " + std::to_string(width) +
                              " values per row, got " + std::to_string(rows.size()) + " rows, " +
                              std::to_string(times.size()) + " times and " + std::to_string(values.size()) + " values");
    }
    for (std::size_t k = 0; k < width; ++k) {
        const Column& column = require(attributes[k]);
        const Attribute& a = column.attribute();
        if (column.holds_bytes()) throw InvalidArgument(named(a) + " holds bytes: use set_bytes");
        if (k == 0) {
            check_rows(a, rows);
            for (const Time time : times) (void)checked_time(a, time);
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (const double value = values[i * width + k]; !std::isnan(value)) (void)checked_value(a, value, rows[i]);
        }
    }
    index_t written = 0;
    for (std::size_t k = 0; k < width; ++k) {
        Column& column = require(attributes[k]);
        column.expect(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const double value = values[i * width + k];
            if (std::isnan(value)) continue;
            column.write(rows[i], as_held(column.attribute(), value), round_to_microsecond(times[i]));
            ++written;
        }
    }
    return written;
}

void StateTable::set_bytes(AttributeId attribute, std::uint32_t row, std::string_view value, Time time) {
    Column& column = require(attribute);
    const Attribute& a = column.attribute();
    if (!column.holds_bytes()) throw InvalidArgument(named(a) + " holds " + std::string(name_of(a.type)) + ": use set");
    if (row >= rows_) {
        throw InvalidArgument(named(a) + ": expected a row below " + std::to_string(rows_) + ", got " +
                              std::to_string(row));
    }
    if (value.size() > kMaxBytesValue) {
        throw InvalidArgument(named(a) + ": expected at most 1024 bytes, got " + std::to_string(value.size()) +
                              " at row " + std::to_string(row));
    }
    column.write_bytes(row, value, checked_time(a, time));
}

index_t StateTable::dirty_count() const {
    index_t count = 0;
    for (const Column& column : columns_) count += static_cast<index_t>(column.dirty().size());
    return count;
}

index_t StateTable::settle(std::uint64_t first) {
    if (first == 0) throw InvalidArgument("settle: expected a first number of at least 1, got 0");
    std::uint64_t next = first;
    for (Column& column : columns_) {
        column.sort_dirty();
        const std::size_t count = column.dirty().size();
        column.settle(count, next);
        next += count;
    }
    return static_cast<index_t>(next - first);
}

}  // namespace tiertwin
