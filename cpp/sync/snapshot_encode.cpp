#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/codec_write.hpp"
#include "sync/snapshot.hpp"

namespace tiertwin::sync {
namespace {

std::vector<const StateTable*> in_wire_order(std::span<const StateTable* const> tables) {
    std::vector<const StateTable*> out(tables.begin(), tables.end());
    std::sort(out.begin(), out.end(), [](const StateTable* a, const StateTable* b) {
        return std::pair(a->table_id() != kNames, a->table_id()) < std::pair(b->table_id() != kNames, b->table_id());
    });
    return out;
}

// Every numbered cell of a column, rows ascending.
std::vector<Column::Dirty> numbered(const Column& column) {
    std::vector<Column::Dirty> cells;
    if (column.holds_bytes()) {
        for (const auto& [row, cell] : column.bytes()) {
            if (cell.number != 0) cells.push_back({row, 0});
        }
        return cells;
    }
    for (index_t b = 0; b < column.block_count(); ++b) {
        const Block* block = column.block(b);
        if (block == nullptr) continue;
        for (index_t i = 0; i < block->rows(); ++i) {
            if (block->number(i) != 0) cells.push_back({static_cast<std::uint32_t>(column.first_row(b) + i), 0});
        }
    }
    return cells;
}

// Chunks without their chunk count, which is known only at the end.
class ChunkWriter {
  public:
    ChunkWriter(std::uint64_t as_of, std::uint32_t incarnation, std::uint64_t digest, std::size_t frame_bytes)
        : as_of_(as_of), incarnation_(incarnation), digest_(digest), limit_(std::min(frame_bytes, kMaxFrameBytes)) {}

    void add(const StateTable& table, const std::optional<Lease>& lease) {
        for (const Column& column : table.columns()) {
            const std::vector<Column::Dirty> cells = numbered(column);
            for (std::span<const Column::Dirty> rest = cells; !rest.empty();) {
                if (!open_) open(table, lease);
                const BlockPlan plan = plan_block(column, rest, limit_ - std::min(limit_, chunks_.back().frame.size()));
                if (plan.n == 0) {
                    if (chunks_.back().count == 0) throw InvalidArgument("snapshot: a record does not fit in a chunk");
                    open_ = false;
                    continue;
                }
                write_block(chunks_.back().frame, column, rest, plan);
                chunks_.back().count += static_cast<std::uint32_t>(plan.n);
                rest = rest.subspan(plan.n);
            }
        }
        open_ = false;  // a chunk belongs to one table
    }

    std::vector<Frame> finish(const StateTable& first) {
        if (chunks_.empty()) open(first, Lease{});
        std::vector<Frame> out;
        for (Chunk& chunk : chunks_) {
            const auto index = static_cast<std::uint32_t>(out.size());
            store(chunk.frame.data() + kHeaderBytes, index);
            store(chunk.frame.data() + kHeaderBytes + 4, static_cast<std::uint32_t>(chunks_.size()));
            seal(chunk.frame, Header{.kind = Kind::snapshot,
                                     .table = chunk.table->table_id(),
                                     .flags = index + 1 == chunks_.size() ? kFlagLast : std::uint16_t{0},
                                     .count = chunk.count,
                                     .incarnation = incarnation_,
                                     .number = as_of_,
                                     .fingerprint = chunk.table->fingerprint()});
            out.push_back(std::move(chunk.frame));
        }
        return out;
    }

  private:
    struct Chunk {
        const StateTable* table;
        std::uint32_t count;
        Frame frame;
    };

    void open(const StateTable& table, const std::optional<Lease>& lease) {
        Chunk& chunk = chunks_.emplace_back(Chunk{&table, 0, Frame(kHeaderBytes)});
        append(chunk.frame, SnapshotPrefix{.chunk = 0, .chunks = 1, .digest = digest_});
        if (table.table_id() == kBudget) append(chunk.frame, *lease);
        open_ = true;
    }

    std::uint64_t as_of_;
    std::uint32_t incarnation_;
    std::uint64_t digest_;
    std::size_t limit_;
    std::vector<Chunk> chunks_;
    bool open_ = false;
};

bool holds_cells(const StateTable& table) {
    return std::any_of(table.columns().begin(), table.columns().end(),
                       [](const Column& c) { return !numbered(c).empty(); });
}

}  // namespace

std::uint64_t stream_digest(std::span<const StateTable* const> tables) {
    std::uint64_t sum = 0;
    for (const StateTable* table : tables) sum += table->digest();
    return sum;
}

std::vector<Frame> encode_snapshot(std::span<const StateTable* const> tables, std::uint64_t as_of,
                                   std::uint32_t incarnation, const std::optional<Lease>& budget_lease,
                                   std::size_t frame_bytes) {
    if (tables.empty()) throw InvalidArgument("snapshot: expected at least one table of the stream");
    for (const StateTable* table : tables) {
        const std::string where = "snapshot of table " + std::to_string(table->table_id()) + ": ";
        if (table->dirty_count() != 0) {
            throw InvalidArgument(where + std::to_string(table->dirty_count()) +
                                  " cells are pending; settle() them first");
        }
        if (as_of == 0 && holds_cells(*table)) throw InvalidArgument(where + "expected the number it is as of, got 0");
        if (table->table_id() == kBudget && !budget_lease && holds_cells(*table)) {
            throw InvalidArgument(where + "a budget needs its lease");
        }
    }
    const std::vector<const StateTable*> ordered = in_wire_order(tables);
    ChunkWriter writer(as_of, incarnation, stream_digest(tables), frame_bytes);
    for (const StateTable* table : ordered) writer.add(*table, budget_lease);
    return writer.finish(*ordered.front());
}

}  // namespace tiertwin::sync
