#include "sync/peer_outbox.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "sync/snapshot.hpp"

namespace tiertwin::sync {
namespace {

constexpr std::size_t kHeldUnits = 64;    // a table
constexpr std::size_t kChunksACall = 16;  // 4 MiB, then others get their turn
constexpr std::size_t kRecordBound = 48;  // bytes a record takes at worst: a block of its own

// Rounded up: a lease may only get shorter.
std::uint32_t milliseconds(Time span) {
    return static_cast<std::uint32_t>(std::clamp<Time>((span + kMillisecond - 1) / kMillisecond, 0, UINT32_MAX));
}

std::vector<std::uint32_t> sorted_rows(const UnitRecords& records) {
    std::vector<std::uint32_t> rows = records.rows;
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
}

// Writes the records into `table`, attribute by attribute.
void write(StateTable& table, const UnitRecords& records) {
    std::vector<std::uint32_t> rows;
    std::vector<double> values;
    std::size_t i = 0;
    while (i < records.rows.size()) {  // runs of one attribute, as callers write them
        const AttributeId attribute = records.attributes[i];
        rows.clear();
        values.clear();
        for (; i < records.rows.size() && records.attributes[i] == attribute; ++i) {
            rows.push_back(records.rows[i]);
            values.push_back(records.values[i]);
        }
        table.set(attribute, rows, values, records.time);
    }
}

// The records numbered first … last, which `write` brought.
UnitRecords records_of(const StateTable& table, std::uint64_t first, std::uint64_t last) {
    UnitRecords records;
    for (const Column& column : table.columns()) {
        for (index_t b = 0; b < column.block_count(); ++b) {
            const Block* block = column.block(b);
            for (index_t i = 0; block != nullptr && i < block->rows(); ++i) {
                if (block->number(i) < first || block->number(i) > last) continue;
                records.attributes.push_back(column.attribute().id);
                records.rows.push_back(static_cast<std::uint32_t>(column.first_row(b) + i));
                records.values.push_back(block->values()[i]);
                records.time = block->time(i);
            }
        }
    }
    return records;
}

// The time a plan waited shortens its lease and ages its inputs; it never prolongs anything (R17).
std::optional<Lease> stamp(const std::optional<LeaseTerms>& terms, const Identity& me, Time waited) {
    if (!terms) return std::nullopt;
    const std::uint32_t ms = milliseconds(waited);
    return Lease{.epoch = make_epoch(me.term, terms->base_epoch),
                 .basis_version = terms->basis_version,
                 .validity_ms = terms->validity_ms - std::min(terms->validity_ms, ms),
                 .age_ms = terms->age_ms + std::min(UINT32_MAX - terms->age_ms, ms),
                 .echo = me.echo,
                 .flags = terms->flags};
}

}  // namespace

void Outbox::add_table(StateTable& table) {
    const auto same = [&](const StateTable* other) { return other->table_id() == table.table_id(); };
    if (std::any_of(tables_.begin(), tables_.end(), same) || ledgers_.contains(table.table_id())) {
        throw InvalidArgument("Table " + std::to_string(table.table_id()) + " is already sent to this peer");
    }
    tables_.push_back(&table);
    std::sort(tables_.begin(), tables_.end(),
              [](const StateTable* a, const StateTable* b) { return a->table_id() < b->table_id(); });
}

void Outbox::add_units(std::unique_ptr<StateTable> ledger) {
    const std::uint16_t id = ledger->table_id();
    const auto same = [&](const StateTable* other) { return other->table_id() == id; };
    if (std::any_of(tables_.begin(), tables_.end(), same) || ledgers_.contains(id)) {
        throw InvalidArgument("Table " + std::to_string(id) + " is already sent to this peer");
    }
    ledgers_.emplace(id, std::move(ledger));
}

void Outbox::take_credit(std::uint32_t frames, std::uint32_t bytes) {
    credit_frames_ = std::min(frames, kMostCreditFrames);
    credit_bytes_ = std::min(bytes, kMostCreditBytes);
}

std::vector<const StateTable*> Outbox::all_tables() const {
    std::vector<const StateTable*> all(tables_.begin(), tables_.end());
    for (const auto& [id, ledger] : ledgers_) all.push_back(ledger.get());
    return all;
}

std::uint64_t Outbox::digest() const {
    std::uint64_t sum = 0;
    for (const StateTable* table : tables_) sum += table->digest();
    for (const auto& [id, ledger] : ledgers_) sum += ledger->digest();
    return sum;
}

// ------------------------------------------------------------------------------------------------------------- units

void Outbox::hold(std::uint16_t table, UnitRecords records, const std::optional<LeaseTerms>& lease, Time now) {
    const auto ledger = ledgers_.find(table);
    if (ledger == ledgers_.end()) {
        throw NotFound("No unit table " + std::to_string(table) + " goes to this peer; declare it with add_unit_out");
    }
    if ((table == kBudget) != lease.has_value()) {
        throw InvalidArgument(table == kBudget ? "A budget needs its lease: (epoch, basis, validity, age, flags)"
                                               : "Only a budget (table 16) carries a lease");
    }
    if (records.rows.empty()) throw InvalidArgument("Expected at least one record in a unit, got none");
    StateTable trial = ledger->second->empty_like();
    write(trial, records);  // throws on anything the ledger would refuse later
    if (table != kBudget && kRecordBound * records.rows.size() > kMaxFrameBytes - kRecordBound * kMaxOpaque) {
        throw InvalidArgument("A unit of table " + std::to_string(table) + " goes in one frame of " +
                              std::to_string(kMaxFrameBytes) + " bytes; " + std::to_string(records.rows.size()) +
                              " records do not fit");
    }
    Held unit{table, std::move(records), lease, now};
    replace_older(unit);
    held_.push_back(std::move(unit));
}

void Outbox::replace_older(const Held& unit) {
    const std::vector<std::uint32_t> rows = sorted_rows(unit.records);
    const auto superseded = [&](const Held& old) {
        if (old.table != unit.table) return false;
        if (unit.table == kBudget || unit.table == kQuery) return true;  // only the newest counts
        return std::all_of(old.records.rows.begin(), old.records.rows.end(),
                           [&](std::uint32_t row) { return std::binary_search(rows.begin(), rows.end(), row); });
    };
    counters_.units_replaced += std::erase_if(held_, superseded);
    const auto same = [&](const Held& old) { return old.table == unit.table; };
    if (static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), same)) >= kHeldUnits) {
        held_.erase(std::find_if(held_.begin(), held_.end(), same));
        ++counters_.units_dropped;
    }
}

void Outbox::number_units(const Identity& me, Time now) {
    for (std::size_t i = 0; i < held_.size() && room();) {
        if (held_[i].lease && me.echo == 0) {  // without a heartbeat to echo the lease would be lapsed on arrival
            ++i;
            continue;
        }
        Held unit = std::move(held_[i]);
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
        StateTable& ledger = *ledgers_.at(unit.table);
        const std::uint64_t first = last_ + 1;
        write(ledger, unit.records);
        append(
            encode_unit(ledger, first, me.incarnation, stamp(unit.lease, me, now - unit.since), unit.table == kBudget));
        ledger.compact();
        ++counters_.units;
        if (unit.table == kBudget) newest_plan_ = Plan{unit.lease, unit.since, first, last_};
    }
}

void Outbox::hold_newest_plan() {
    const auto budget = [](const Held& unit) { return unit.table == kBudget; };
    if (newest_plan_ && std::none_of(held_.begin(), held_.end(), budget)) {
        const Plan& plan = *newest_plan_;
        held_.push_front({kBudget, records_of(*ledgers_.at(kBudget), plan.first, plan.last), plan.lease, plan.since});
    }
    newest_plan_.reset();
}

// ----------------------------------------------------------------------------------------------------------- numbering

bool Outbox::room() const {
    return log_.size() - kept_frames_ < credit_frames_ && log_bytes_ - kept_bytes_ < credit_bytes_;
}

void Outbox::append(std::vector<EncodedDelta> frames) {
    for (EncodedDelta& encoded : frames) {
        last_ += encoded.count;
        log_bytes_ += encoded.frame.size();
        if (keeps_log_) unlogged_.push_back(encoded.frame);
        log_.push_back({std::move(encoded.frame), encoded.first, encoded.first + encoded.count - 1});
    }
}

void Outbox::number_samples(const Identity& me) {
    for (StateTable* table : tables_) {
        if (table->dirty_count() == 0 || !room()) continue;
        const EncodeLimits limits{.frame_bytes = frame_bytes_,
                                  .frames = credit_frames_ - (log_.size() - kept_frames_),
                                  .total_bytes = credit_bytes_ - (log_bytes_ - kept_bytes_)};
        append(encode_delta(*table, last_ + 1, me.incarnation, limits));
    }
}

// ------------------------------------------------------------------------------------------------------------- session

void Outbox::rewind() {
    sent_frames_ = kept_frames_;
    sent_bytes_ = kept_bytes_;
}

void Outbox::begin(bool peer_restarted) {
    rewind();
    snapshot_wanted_ = under_way_ = false;
    next_chunk_ = chunks_.size();                 // it is asked for again if need be
    if (peer_restarted) snapshot_at_ = kLongAgo;  // the limit is for peers that flap, not for one that lost everything
    if (newest_plan_ && (peer_restarted || newest_plan_->last >= log_first())) hold_newest_plan();
}

void Outbox::acknowledge(std::uint64_t received, std::uint64_t durable) {
    const std::uint64_t gone = by_durable_ ? durable : received;
    while (!log_.empty() && log_.front().last <= gone) drop_front();
    if (by_durable_) note_received(received);
    if (received > 0 && received >= as_of_) chunks_.clear();  // 0 may have been said before they came
}

void Outbox::send_from(std::uint64_t cursor) {
    if (by_durable_) {  // it may have lost what it had received
        kept_frames_ = kept_bytes_ = 0;
        note_received(cursor);
    } else {
        acknowledge(cursor);
    }
    chunks_.clear();
    snapshot_wanted_ = false;
    rewind();
}

// One that is under way, and may wait for the disk, is the one that is wanted.
void Outbox::want_snapshot() {
    if (under_way_ && !chunks_.empty()) {
        next_chunk_ = 0;
    } else {
        snapshot_wanted_ = true;
    }
}

void Outbox::send_chunks(std::uint32_t first) {
    if (chunks_.empty()) {
        snapshot_wanted_ = true;
    } else {
        next_chunk_ = std::min<std::size_t>(first, chunks_.size() - 1);
    }
}

void Outbox::send_again(const Session& session) {
    if (session.snapshot_out) {  // the last chunk makes the peer name the first one it lacks
        if (!chunks_.empty() && next_chunk_ == chunks_.size()) --next_chunk_;
    } else {
        rewind();
    }
}

// ------------------------------------------------------------------------------------------------------------- leaving

void Outbox::begin_snapshot(const Identity& me, Time now) {
    snapshot_wanted_ = false;
    if (as_of_ + 1 < log_first()) chunks_.clear();  // what comes after them was let go of
    if (chunks_.empty()) {
        if (const auto budget = ledgers_.find(kBudget); budget != ledgers_.end()) {
            hold_newest_plan();
            // Other content, so another number: who holds the old one can not resume from it any more.
            if (budget->second->digest() != 0) ++last_;
            StateTable empty = budget->second->empty_like();  // its leases belong to older terms; the plan follows anew
            budget->second->swap(empty);
        }
        if (keeps_log_) {
            number_all(me);  // a log has no record without its frame
        } else {
            for (StateTable* table : tables_) last_ += static_cast<std::uint64_t>(table->settle(last_ + 1));
        }
        clear_log();
        as_of_ = last_;
        const std::vector<const StateTable*> all = all_tables();
        if (!all.empty()) chunks_ = encode_snapshot(all, as_of_, me.incarnation, std::nullopt, frame_bytes_);
    }
    next_chunk_ = 0;
    under_way_ = true;
    snapshot_at_ = now;
    ++counters_.snapshots;
}

void Outbox::pump_chunks(Session& session, const Identity& me, Time now, std::vector<Frame>& out) {
    if (as_of_ > released_) return;  // not on disk yet
    for (std::size_t n = 0; n < kChunksACall && next_chunk_ < chunks_.size(); ++n, ++next_chunk_) {
        Frame frame = chunks_[next_chunk_];
        restamp(frame, me.incarnation, false);
        counters_.fresh_bytes += frame.size();
        ++counters_.chunks;
        out.push_back(std::move(frame));
    }
    note_snapshot(session, as_of_, now);
}

void Outbox::pump_log(Session& session, const Identity& me, Time now, bool progress, std::vector<Frame>& out) {
    while (sent_frames_ < log_.size() && sent_frames_ - kept_frames_ < credit_frames_) {
        Logged& item = log_[sent_frames_];
        const std::size_t bytes = item.frame.size();
        if (item.last > released_) break;  // not on disk yet
        if (sent_frames_ > kept_frames_ && sent_bytes_ - kept_bytes_ + bytes > credit_bytes_) break;
        const bool again = item.first <= session.sent;
        if (again) {
            if (purse_ < bytes && !progress) break;
            progress = progress && purse_ >= bytes;
            purse_ -= std::min(purse_, bytes);
            restamp(item.frame, me.incarnation, true);
            ++counters_.again_frames;
            counters_.again_bytes += bytes;
        } else {
            purse_ = std::min(purse_ + bytes / 10, credit_bytes_);
            ++counters_.fresh_frames;
            counters_.fresh_bytes += bytes;
        }
        out.push_back(item.frame);
        ++sent_frames_;
        sent_bytes_ += bytes;
        note_sent(session, item.last, now);
    }
}

void Outbox::pump(Session& session, const Identity& me, Time now, bool progress, bool samples, bool open,
                  std::vector<Frame>& out) {
    if (!session.attached) return;
    snapshot_wanted_ = snapshot_wanted_ && session.snapshot_out;  // it went on without
    if (snapshot_wanted_ && open && now >= snapshot_at_ + snapshot_every_) begin_snapshot(me, now);
    if (session.snapshot_out) {
        if (!snapshot_wanted_) pump_chunks(session, me, now, out);
        return;  // deltas would only be dropped until the peer has swapped
    }
    number_units(me, now);
    if (samples) number_samples(me);
    pump_log(session, me, now, progress, out);
    session.log_first = log_first();
}

}  // namespace tiertwin::sync
