#include "sync/peer_inbox.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"

namespace tiertwin::sync {
namespace {

UnitColumn& column_of(Unit& unit, AttributeId attribute) {
    auto at = std::lower_bound(unit.columns.begin(), unit.columns.end(), attribute,
                               [](const UnitColumn& c, AttributeId id) { return c.attribute < id; });
    if (at == unit.columns.end() || at->attribute != attribute) at = unit.columns.insert(at, {attribute, {}, {}});
    return *at;
}

// The records of checked blocks as columns.
void gather(Bytes blocks, Unit& unit) {
    while (!blocks.empty()) {
        BlockView block;
        if (!parse_block(blocks, false, block).ok()) return;  // cannot be: they were checked
        blocks = blocks.subspan(block.size);
        unit.time = std::max(unit.time, block.base_time);
        if (block.type == ValueType::bytes) continue;
        UnitColumn& column = column_of(unit, block.attribute);
        const std::vector<double> values = values_of(block);
        column.values.insert(column.values.end(), values.begin(), values.end());
        for (std::size_t i = 0; i < block.n; ++i) column.rows.push_back(load<std::uint32_t>(block.rows + 4 * i));
    }
}

Unit contents(const StateTable& ledger) {
    Unit unit{.table = ledger.table_id(), .time = 0, .lease = std::nullopt, .columns = {}};
    for (const Column& column : ledger.columns()) {
        if (column.attribute().type == ValueType::bytes) continue;
        UnitColumn found{column.attribute().id, {}, {}};
        for (index_t row = 0; row < ledger.rows(); ++row) {
            const Time time = ledger.time(found.attribute, row);
            if (time == kNever) continue;
            unit.time = std::max(unit.time, time);
            found.rows.push_back(static_cast<std::uint32_t>(row));
            found.values.push_back(ledger.value(found.attribute, row));
        }
        if (!found.rows.empty()) unit.columns.push_back(std::move(found));
    }
    return unit;
}

}  // namespace

void Inbox::add_table(StateTable& table) {
    if (find(table.table_id()) != nullptr) {
        throw InvalidArgument("Table " + std::to_string(table.table_id()) + " is already received from this peer");
    }
    tables_.push_back(&table);
    std::sort(tables_.begin(), tables_.end(),
              [](const StateTable* a, const StateTable* b) { return a->table_id() < b->table_id(); });
    stage_.reset();
}

void Inbox::add_units(std::unique_ptr<StateTable> ledger) {
    add_table(*ledger);
    ledgers_.push_back(std::move(ledger));
}

StateTable* Inbox::find(std::uint16_t table) {
    for (StateTable* candidate : tables_) {
        if (candidate->table_id() == table) return candidate;
    }
    return nullptr;
}

bool Inbox::is_ledger(const StateTable& table) const {
    return std::any_of(ledgers_.begin(), ledgers_.end(), [&](const auto& ledger) { return ledger.get() == &table; });
}

std::uint64_t Inbox::digest() const {
    std::uint64_t sum = 0;
    for (const StateTable* table : tables_) sum += table->digest();
    return sum;
}

bool Inbox::joins_plan(const Unit& part) const { return plan_ && plan_->lease == part.lease; }

std::uint32_t Inbox::take(StateTable& table, const Header& header, Bytes blocks, const std::optional<Lease>& lease,
                          std::uint64_t cursor, std::optional<Unit>& unit) {
    const std::uint32_t applied = apply_records(table, header, blocks, cursor);
    if (!is_ledger(table)) return applied;
    Unit part{.table = table.table_id(), .time = 0, .lease = lease, .columns = {}};
    if (part.table != kBudget) {
        gather(blocks, part);
        unit = std::move(part);
        return applied;
    }
    if (!joins_plan(part)) plan_ = std::move(part);
    gather(blocks, *plan_);
    if (header.last()) unit = std::exchange(plan_, std::nullopt);
    return applied;
}

Verdict Inbox::stage(const Header& header, Bytes frame, bool restart) {
    if (restart || !stage_) {
        const std::vector<const StateTable*> schema(tables_.begin(), tables_.end());
        stage_ = std::make_unique<SnapshotStage>(schema);
    }
    return stage_->add(header, frame);
}

std::vector<Unit> Inbox::swap() {
    plan_.reset();
    if (!stage_) return {};  // nothing is received from this peer
    stage_->commit(tables_);
    std::vector<Unit> units = held();
    for (Unit& unit : units) {
        if (unit.table == kBudget) unit.lease = stage_->lease();
    }
    stage_.reset();
    return units;
}

std::vector<Unit> Inbox::held() const {
    std::vector<Unit> units;
    for (const auto& ledger : ledgers_) {
        Unit unit = contents(*ledger);
        if (!unit.columns.empty()) units.push_back(std::move(unit));
    }
    return units;
}

}  // namespace tiertwin::sync
