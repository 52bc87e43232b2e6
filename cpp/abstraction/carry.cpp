#include "abstraction/carry.hpp"

#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

const Column& numeric(const StateTable& table, AttributeId attribute) {
    const Column* column = table.find(attribute);
    if (column == nullptr) {
        throw NotFound("Table " + std::to_string(table.table_id()) + " has no attribute " + std::to_string(attribute) +
                       " to carry");
    }
    if (column->holds_bytes()) {
        throw InvalidArgument("Attribute '" + column->attribute().name + "' holds bytes; only numbers are carried");
    }
    return *column;
}

void check_rows(const StateTable& table, std::span<const std::uint32_t> rows) {
    for (const std::uint32_t row : rows) {
        if (row < table.rows()) continue;
        throw InvalidArgument("Table " + std::to_string(table.table_id()) + ": expected a row below " +
                              std::to_string(table.rows()) + " to carry, got " + std::to_string(row));
    }
}

Time time_at(const Column& column, index_t row) {
    const index_t b = column.block_of(row);
    const Block* block = column.block(b);
    return block == nullptr ? kNever : block->time(row - column.first_row(b));
}

}  // namespace

index_t carry(const StateTable& from, StateTable& to, const std::vector<AttributeId>& attributes,
              std::span<const std::uint32_t> sources, std::span<const std::uint32_t> targets) {
    if (sources.size() != targets.size()) {
        throw InvalidArgument("Expected one target row a source row, got " + std::to_string(sources.size()) + " and " +
                              std::to_string(targets.size()));
    }
    check_rows(from, sources);
    check_rows(to, targets);
    std::vector<std::uint32_t> rows;
    std::vector<double> values;
    std::vector<Time> times;
    index_t written = 0;
    for (const AttributeId attribute : attributes) {
        const Column& source = numeric(from, attribute);
        const Column& target = numeric(to, attribute);
        rows.clear();
        values.clear();
        times.clear();
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const index_t row = sources[i];
            const index_t b = source.block_of(row);
            const Block* block = source.block(b);
            if (block == nullptr) continue;
            const index_t at = row - source.first_row(b);
            const double value = block->values()[at];
            const Time time = block->time(at);
            if (time <= time_at(target, targets[i]) || !std::isfinite(value)) continue;
            rows.push_back(targets[i]);
            values.push_back(value);
            times.push_back(time);
        }
        if (!rows.empty()) written += to.set(attribute, rows, values, times);
    }
    return written;
}

}  // namespace tiertwin::abstraction
