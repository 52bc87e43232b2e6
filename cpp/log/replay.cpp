#include "log/replay.hpp"

#include <algorithm>
#include <utility>

#include "log/streams.hpp"
#include "sync/ingest.hpp"
#include "sync/kinds.hpp"

namespace tiertwin::log {

Replay::Replay(std::vector<StateTable*> tables, std::uint64_t cursor) : tables_(std::move(tables)), cursor_(cursor) {}

StateTable* Replay::find(std::uint16_t table) const {
    const auto found = std::ranges::find(tables_, table, [](const StateTable* t) { return t->table_id(); });
    return found == tables_.end() ? nullptr : *found;
}

sync::Verdict Replay::take(sync::Bytes frame) {
    sync::Header header;
    if (const sync::Verdict verdict = sync::decode_header(frame, header); !verdict.ok()) return verdict;
    if (header.kind == sync::Kind::hello || header.kind == sync::Kind::welcome) {
        const std::uint64_t stream = stream_of(frame);
        if (stream_ != 0 && stream != stream_) cursor_ = 0;
        stream_ = stream;
        stage_.reset();
        return {};
    }
    if (header.kind == sync::Kind::snapshot) return take_snapshot(header, frame);
    if (header.kind != sync::Kind::delta) return {sync::Reason::kind, 3};
    StateTable* table = find(header.table);
    if (table == nullptr) {
        ++skipped_;
    } else {
        const sync::Ingested done = sync::ingest(*table, header, frame, cursor_);
        if (!done.verdict.ok()) return done.verdict;
        applied_ += done.applied;
    }
    cursor_ = std::max(cursor_, header.last_number());
    return {};
}

sync::Verdict Replay::take_snapshot(const sync::Header& header, sync::Bytes frame) {
    sync::SnapshotPrefix prefix;
    if (const sync::Verdict v = sync::decode(sync::body_of(frame), prefix); !v.ok()) return v;
    if (!stage_ || prefix.chunk == 0) {  // a session that broke off begins again
        stage_.emplace(std::vector<const StateTable*>(tables_.begin(), tables_.end()));
    }
    if (const sync::Verdict verdict = stage_->add(header, frame); !verdict.ok()) return verdict;
    if (!stage_->complete()) return {};
    stage_->commit(tables_);
    cursor_ = stage_->as_of();
    applied_ += header.count;
    stage_.reset();
    return {};
}

}  // namespace tiertwin::log
