// What one peer sends us: its tables here, the snapshot being staged, and units put together from their frames.
//
// Samples  go straight into the table. Units (cut, point, query, budget) go into a ledger, a StateTable of our own, by
//          the same checks, and are handed on as arrays. A plan of several frames is handed on with the last one; one
//          with another prefix discards it.
// All or nothing  a frame that fails a check has written nothing, here or in a table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "state/table.hpp"
#include "sync/ingest.hpp"
#include "sync/snapshot.hpp"

namespace tiertwin::sync {

struct UnitColumn {
    AttributeId attribute = 0;
    std::vector<std::uint32_t> rows;
    std::vector<double> values;
};

// Records that take effect together.
struct Unit {
    std::uint16_t table = 0;
    Time time = 0;  // of its newest record
    std::optional<Lease> lease;
    std::vector<UnitColumn> columns;  // ascending attribute
};

class Inbox {
  public:
    void add_table(StateTable& table);
    void add_units(std::unique_ptr<StateTable> ledger);

    [[nodiscard]] StateTable* find(std::uint16_t table);
    [[nodiscard]] const std::vector<StateTable*>& tables() const { return tables_; }  // ledgers included
    [[nodiscard]] bool empty() const { return tables_.empty(); }
    [[nodiscard]] std::uint64_t digest() const;

    // Records of a DELTA, checked by check_records. A finished unit is moved to `unit`.
    std::uint32_t take(StateTable& table, const Header& header, Bytes blocks, const std::optional<Lease>& lease,
                       std::uint64_t cursor, std::optional<Unit>& unit);

    // One chunk of a snapshot; `restart` begins a new stage with it.
    [[nodiscard]] Verdict stage(const Header& header, Bytes frame, bool restart);
    [[nodiscard]] bool staged() const { return stage_ && stage_->complete(); }
    // Swaps every table and returns what the ledgers hold now.
    [[nodiscard]] std::vector<Unit> swap();
    [[nodiscard]] std::vector<Unit> held() const;  // what the ledgers hold; a budget is without its lease

  private:
    [[nodiscard]] bool is_ledger(const StateTable& table) const;
    [[nodiscard]] bool joins_plan(const Unit& part) const;

    std::vector<StateTable*> tables_;  // ascending id, ledgers included
    std::vector<std::unique_ptr<StateTable>> ledgers_;
    std::unique_ptr<SnapshotStage> stage_;
    std::optional<Unit> plan_;  // unfinished
};

}  // namespace tiertwin::sync
