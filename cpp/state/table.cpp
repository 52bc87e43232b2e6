#include "state/table.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace tiertwin {
namespace {

template <typename T, typename Copy>
void copy_column(const Column& column, std::span<T> out, T unwritten, Copy copy) {
    T* to = out.data();
    for (index_t b = 0; b < column.block_count(); ++b) {
        const auto left = static_cast<index_t>(out.data() + out.size() - to);
        const auto rows = static_cast<std::size_t>(std::min(column.first_row(1), left));
        if (const Block* block = column.block(b)) {
            copy(*block, to, rows);
        } else {
            std::fill_n(to, rows, unwritten);
        }
        to += rows;
    }
}

}  // namespace

StateTable::StateTable(const AttributeRegistry& registry, std::uint16_t table_id,
                       const std::vector<AttributeId>& attributes, index_t rows)
    : table_id_(table_id), rows_(rows), fingerprint_(0) {
    if (table_id == 0) throw InvalidArgument("expected a table id of 1 … 65535, got 0 (which says \"no table\")");
    if (rows < 1 || rows > std::numeric_limits<std::uint32_t>::max()) {
        throw InvalidArgument("table " + std::to_string(table_id) + ": expected 1 … 2^32 - 1 rows, got " +
                              std::to_string(rows));
    }
    std::vector<AttributeId> sorted = attributes;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
        throw InvalidArgument("table " + std::to_string(table_id) + ": an attribute is listed twice");
    }
    std::vector<const Attribute*> definitions;
    for (const AttributeId id : sorted) {
        definitions.push_back(&registry.get(id));
        columns_.emplace_back(*definitions.back(), table_id, rows, false);
    }
    fingerprint_ = fingerprint_of(definitions, table_id, rows);
}

StateTable StateTable::empty_like() const {
    StateTable out = *this;
    std::erase_if(out.columns_, [](const Column& column) { return column.opaque(); });
    for (Column& column : out.columns_) column = Column(column.attribute(), table_id_, rows_, false);
    return out;
}

std::vector<AttributeId> StateTable::attributes() const {
    std::vector<AttributeId> out;
    for (const Column& column : columns_) {
        if (!column.opaque()) out.push_back(column.attribute().id);
    }
    return out;
}

std::vector<AttributeId> StateTable::opaque() const {
    std::vector<AttributeId> out;
    for (const Column& column : columns_) {
        if (column.opaque()) out.push_back(column.attribute().id);
    }
    return out;
}

std::size_t StateTable::opaque_count() const {
    return static_cast<std::size_t>(
        std::count_if(columns_.begin(), columns_.end(), [](const Column& column) { return column.opaque(); }));
}

double StateTable::value(AttributeId attribute, index_t row) const {
    const auto [block, at] = require_block(attribute, row);
    return block ? block->values()[at] : std::numeric_limits<double>::quiet_NaN();
}

Time StateTable::time(AttributeId attribute, index_t row) const {
    const auto [block, at] = require_block(attribute, row);
    return block ? block->time(at) : kNever;
}

std::uint64_t StateTable::number(AttributeId attribute, index_t row) const {
    const auto [block, at] = require_block(attribute, row);
    return block ? block->number(at) : 0;
}

void StateTable::compact() {
    for (Column& column : columns_) column.compact();
}

void StateTable::copy_values(AttributeId attribute, std::span<double> out) const {
    copy_column(require_numeric(attribute), out, std::numeric_limits<double>::quiet_NaN(),
                [](const Block& block, double* to, std::size_t rows) { std::copy_n(block.values(), rows, to); });
}

Time StateTable::oldest(AttributeId attribute, Time after) const {
    const Column& column = require_numeric(attribute);
    Time found = kNever;
    for (index_t b = 0; b < column.block_count(); ++b) {
        const Block* block = column.block(b);
        if (block == nullptr) continue;
        for (index_t row = 0; row < block->rows(); ++row) {
            const Time time = block->time(row);
            if (time > after && (found == kNever || time < found)) found = time;
        }
    }
    return found;
}

void StateTable::copy_times(AttributeId attribute, std::span<Time> out) const {
    copy_column(require_numeric(attribute), out, kNever,
                [](const Block& block, Time* to, std::size_t rows) { block.copy_times(to, rows); });
}

void StateTable::copy_numbers(AttributeId attribute, std::span<std::uint64_t> out) const {
    copy_column(require_numeric(attribute), out, std::uint64_t{0},
                [](const Block& block, std::uint64_t* to, std::size_t rows) { block.copy_numbers(to, rows); });
}

const BytesCell* StateTable::bytes(AttributeId attribute, index_t row) const {
    const Column& column = require(attribute);
    if (!column.holds_bytes()) throw InvalidArgument(named(column.attribute()) + " holds numbers: use value");
    check_row(row);
    const auto it = column.bytes().find(static_cast<std::uint32_t>(row));
    return it == column.bytes().end() ? nullptr : &it->second;
}

std::uint64_t StateTable::digest() const {
    std::uint64_t sum = 0;
    for (const Column& column : columns_) sum += column.digest();
    return sum;
}

bool StateTable::equal(const StateTable& other) const {
    return table_id_ == other.table_id_ && rows_ == other.rows_ &&
           std::equal(columns_.begin(), columns_.end(), other.columns_.begin(), other.columns_.end(),
                      [](const Column& a, const Column& b) { return a.equal(b); });
}

const Column* StateTable::find(AttributeId attribute) const {
    const auto it = std::lower_bound(columns_.begin(), columns_.end(), attribute,
                                     [](const Column& column, AttributeId id) { return column.attribute().id < id; });
    return it != columns_.end() && it->attribute().id == attribute ? &*it : nullptr;
}

Column* StateTable::find(AttributeId attribute) {
    return const_cast<Column*>(static_cast<const StateTable*>(this)->find(attribute));
}

Column& StateTable::add_opaque(AttributeId attribute, ValueType type) {
    if (find(attribute) != nullptr)
        throw InvalidArgument("attribute " + std::to_string(attribute) + " is known already");
    if (!admits_unknown(attribute)) {
        throw InvalidArgument("attribute " + std::to_string(attribute) + " may not stand in table " +
                              std::to_string(table_id_) +
                              ", which crosses the border of a domain: unknown attributes are private unless declared");
    }
    if (opaque_count() >= kMaxOpaque) {
        throw InvalidArgument("table " + std::to_string(table_id_) + " carries " + std::to_string(kMaxOpaque) +
                              " unknown attributes already: no room for " + std::to_string(attribute));
    }
    Attribute unknown;
    unknown.id = attribute;
    unknown.name = "unknown-" + std::to_string(attribute);
    unknown.kind = "state";
    unknown.merge = "none";
    unknown.type = type;
    unknown.extension = true;
    unknown.low = -std::numeric_limits<double>::infinity();
    unknown.high = std::numeric_limits<double>::infinity();
    AttributeRegistry scratch;  // cuts the range to what the type can hold
    const Attribute& cut = scratch.add(unknown);
    const auto it = std::find_if(columns_.begin(), columns_.end(),
                                 [&](const Column& column) { return column.attribute().id > attribute; });
    return *columns_.insert(it, Column(cut, table_id_, rows_, true));
}

void StateTable::seal(int most, std::vector<AttributeId> declared) {
    for (const Column& column : columns_) {
        const Attribute& attribute = column.attribute();
        const bool named = std::find(declared.begin(), declared.end(), attribute.id) != declared.end();
        if (column.opaque() ? named : attribute.privacy <= most) continue;
        throw InvalidArgument("attribute " + std::to_string(attribute.id) + " '" + attribute.name + "' of table " +
                              std::to_string(table_id_) + ": its privacy class is above " + std::to_string(most) +
                              ", it may not cross the border of the domain");
    }
    sealed_ = true;
    declared_ = std::move(declared);
}

bool StateTable::admits_unknown(AttributeId attribute) const {
    return !sealed_ || std::find(declared_.begin(), declared_.end(), attribute) != declared_.end();
}

void StateTable::swap(StateTable& other) noexcept { std::swap(*this, other); }

const Column& StateTable::require(AttributeId attribute) const {
    if (const Column* column = find(attribute)) return *column;
    throw NotFound("attribute " + std::to_string(attribute) + " is not in table " + std::to_string(table_id_) + " (" +
                   std::to_string(columns_.size()) + " attributes)");
}

Column& StateTable::require(AttributeId attribute) {
    return const_cast<Column&>(static_cast<const StateTable*>(this)->require(attribute));
}

const Column& StateTable::require_numeric(AttributeId attribute) const {
    const Column& column = require(attribute);
    if (column.holds_bytes()) throw InvalidArgument(named(column.attribute()) + " holds bytes: use bytes");
    return column;
}

void StateTable::check_row(index_t row) const {
    if (row < 0 || row >= rows_) {
        throw InvalidArgument("table " + std::to_string(table_id_) + ": expected a row below " + std::to_string(rows_) +
                              ", got " + std::to_string(row));
    }
}

std::pair<const Block*, index_t> StateTable::require_block(AttributeId attribute, index_t row) const {
    const Column& column = require_numeric(attribute);
    check_row(row);
    const index_t b = column.block_of(row);
    return {column.block(b), row - column.first_row(b)};
}

}  // namespace tiertwin
