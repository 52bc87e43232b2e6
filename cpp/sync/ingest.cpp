#include "sync/ingest.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/ingest_values.hpp"

namespace tiertwin::sync {
namespace {

// Unknown attributes of this frame, so that one frame cannot bring more than the table has room for.
class Unknown {
  public:
    explicit Unknown(const StateTable& table) : room_(kMaxOpaque - table.opaque_count()) {}

    // One type per attribute, and no more attributes than there is room for.
    Reason admit(const BlockView& block) {
        const auto end = seen_.begin() + static_cast<std::ptrdiff_t>(count_);
        const auto it = std::find_if(seen_.begin(), end, [&](const auto& s) { return s.first == block.attribute; });
        if (it != end) return it->second == block.type ? Reason::ok : Reason::block_type;
        if (count_ == room_) return Reason::too_many_unknown;
        seen_[count_++] = {block.attribute, block.type};
        return Reason::ok;
    }

  private:
    std::array<std::pair<AttributeId, ValueType>, kMaxOpaque> seen_{};
    std::size_t room_;
    std::size_t count_ = 0;
};

Verdict check_block(const StateTable& table, const BlockView& block, Unknown& unknown) {
    const Column* column = table.find(block.attribute);
    if (column == nullptr) {
        if (!table.admits_unknown(block.attribute)) return {Reason::privacy, 0};
        if (const Reason reason = unknown.admit(block); reason != Reason::ok) return {reason, 0};
    } else if (column->attribute().type != block.type) {
        return {Reason::block_type, 2};
    }
    if (!rows_below(block, table.rows())) return {Reason::row, kBlockHeaderBytes};
    const Range range =
        column != nullptr ? Range{column->attribute().low, column->attribute().high} : widest(block.type);
    const Reason reason = check_values(block, range);
    return {reason, static_cast<std::size_t>(block.values - block.rows) + kBlockHeaderBytes};
}

}  // namespace

Verdict check_records(const StateTable& table, const Header& header, Bytes frame, Bytes& blocks,
                      std::optional<Lease>& lease) {
    if (header.table != table.table_id()) return {Reason::table, 4};
    if (header.fingerprint != table.fingerprint()) return {Reason::fingerprint, 32};
    std::size_t at = kHeaderBytes;
    if (header.kind == Kind::snapshot) {
        SnapshotPrefix prefix;
        if (const Verdict v = decode(frame.subspan(at), prefix); !v.ok()) return {v.reason, at + v.at};
        at += kSnapshotPrefixBytes;
    }
    lease.reset();
    if (header.table == kBudget) {
        if (const Verdict v = decode(frame.subspan(at), lease.emplace()); !v.ok()) return {v.reason, at + v.at};
        at += kLeaseBytes;
    }
    blocks = frame.subspan(at);
    Unknown unknown(table);
    std::uint64_t count = 0;
    BlockView block;
    for (Bytes rest = blocks; !rest.empty(); rest = rest.subspan(block.size)) {
        Verdict verdict = parse_block(rest, false, block);
        if (verdict.ok()) verdict = check_block(table, block, unknown);
        if (!verdict.ok()) return {verdict.reason, static_cast<std::size_t>(rest.data() - frame.data()) + verdict.at};
        count += block.n;
    }
    if (count != header.count) return {Reason::block_count, 12};
    return {};
}

Ingested ingest(StateTable& table, const Header& header, Bytes frame, std::uint64_t cursor) {
    Ingested out;
    Bytes blocks;
    out.verdict = check_records(table, header, frame, blocks, out.lease);
    if (!out.verdict.ok()) return out;
    const std::uint64_t skipped =
        cursor < header.number ? 0 : std::min<std::uint64_t>(cursor - header.number + 1, header.count);
    out.records = static_cast<std::uint32_t>(header.count - skipped);
    if (out.records != 0) out.applied = apply_records(table, header, blocks, cursor);
    return out;
}

}  // namespace tiertwin::sync
