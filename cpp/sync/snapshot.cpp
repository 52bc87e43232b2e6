#include "sync/snapshot.hpp"

#include <string>

#include "base/error.hpp"

namespace tiertwin::sync {

SnapshotStage::SnapshotStage(std::span<const StateTable* const> tables) {
    for (const StateTable* table : tables) staged_.emplace(table->table_id(), table->empty_like());
}

// Chunk 0 fixes what the others must agree with; the last one, and only it, says so.
Verdict SnapshotStage::check_place(const Header& header, const SnapshotPrefix& prefix) const {
    const std::size_t at = kHeaderBytes;
    if (complete_ || prefix.chunk != next_) return {Reason::chunk, at};
    if (header.last() != (prefix.chunk + 1 == prefix.chunks)) return {Reason::chunk, 6};
    if (prefix.chunk == 0) return {};
    if (prefix.chunks != chunks_) return {Reason::chunk, at + 4};
    if (prefix.digest != digest_) return {Reason::chunk, at + 8};
    return header.number == as_of_ ? Verdict{} : Verdict{Reason::chunk, 24};
}

Verdict SnapshotStage::add(const Header& header, Bytes frame) {
    if (header.kind != Kind::snapshot) return {Reason::kind, 3};
    SnapshotPrefix prefix;
    if (const Verdict v = decode(body_of(frame), prefix); !v.ok()) return {v.reason, kHeaderBytes + v.at};
    if (const Verdict v = check_place(header, prefix); !v.ok()) return v;
    const auto it = staged_.find(header.table);
    if (it == staged_.end()) return {Reason::table, 4};
    Bytes blocks;
    std::optional<Lease> lease;
    if (const Verdict v = check_records(it->second, header, frame, blocks, lease); !v.ok()) return v;

    (void)apply_records(it->second, header, blocks, 0);
    if (lease) lease_ = lease;
    chunks_ = prefix.chunks;
    digest_ = prefix.digest;
    as_of_ = header.number;
    if (++next_ < chunks_) return {};
    std::uint64_t digest = 0;
    for (const auto& [id, table] : staged_) digest += table.digest();
    if (digest != digest_) {
        restart();
        return {Reason::digest, kHeaderBytes + 8};
    }
    complete_ = true;
    return {};
}

void SnapshotStage::restart() {
    for (auto& [id, table] : staged_) table = table.empty_like();
    next_ = 0;
    lease_.reset();
}

void SnapshotStage::commit(std::span<StateTable* const> tables) {
    if (!complete_) {
        throw InvalidArgument("snapshot: " + std::to_string(next_) + " of " + std::to_string(chunks_) +
                              " chunks are here; commit needs them all");
    }
    if (tables.size() != staged_.size()) throw InvalidArgument("snapshot: expected the tables the stage was made for");
    for (const StateTable* table : tables) {
        if (!staged_.contains(table->table_id())) {
            throw InvalidArgument("snapshot: table " + std::to_string(table->table_id()) + " is not staged");
        }
    }
    for (StateTable* table : tables) table->swap(staged_.at(table->table_id()));
    complete_ = false;
}

}  // namespace tiertwin::sync
