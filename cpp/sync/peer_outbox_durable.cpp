// Outbox over a log: what waits for the disk here, what stays for the disk there, and how a next life goes on.
#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "sync/peer_outbox.hpp"

namespace tiertwin::sync {

void Outbox::keep_log() {
    keeps_log_ = true;
    released_ = last_;
}

void Outbox::keep_until_durable(bool both) {
    if (!both) kept_frames_ = kept_bytes_ = 0;
    by_durable_ = both;
}

void Outbox::release(std::uint64_t number) { released_ = std::max(released_, number); }

std::vector<Frame> Outbox::take_unlogged() { return std::exchange(unlogged_, {}); }

void Outbox::number_all(const Identity& me) {
    for (StateTable* table : tables_) {
        append(encode_delta(*table, last_ + 1, me.incarnation, {.frame_bytes = frame_bytes_}));
    }
}

std::vector<StateTable*> Outbox::every_table() {
    std::vector<StateTable*> all = tables_;
    for (const auto& [id, ledger] : ledgers_) all.push_back(ledger.get());
    std::sort(all.begin(), all.end(),
              [](const StateTable* a, const StateTable* b) { return a->table_id() < b->table_id(); });
    return all;
}

void Outbox::clear_log() {
    log_.clear();
    log_bytes_ = kept_frames_ = kept_bytes_ = 0;
    rewind();
}

void Outbox::drop_front() {
    const std::size_t bytes = log_.front().frame.size();
    log_bytes_ -= bytes;
    if (sent_frames_ > 0) {
        --sent_frames_;
        sent_bytes_ -= bytes;
    }
    if (kept_frames_ > 0) {
        --kept_frames_;
        kept_bytes_ -= bytes;
    }
    log_.pop_front();
}

// The peer has it, and may lose it again until it says durable: it stays, and costs no credit.
void Outbox::note_received(std::uint64_t received) {
    while (kept_frames_ < log_.size() && log_[kept_frames_].last <= received) {
        kept_bytes_ += log_[kept_frames_].frame.size();
        ++kept_frames_;
    }
    if (sent_frames_ < kept_frames_) rewind();
    while (kept_frames_ > kMostCreditFrames || kept_bytes_ > kMostCreditBytes) drop_front();
}

void Outbox::trim() {
    while (log_.size() > kMostCreditFrames || log_bytes_ > kMostCreditBytes) drop_front();
}

void Outbox::resume(std::uint64_t last, std::vector<Frame> frames) {
    if (last_ != 0) throw InvalidArgument("Expected a stream that has numbered nothing yet; resume comes first");
    std::uint64_t next = 0;
    for (Frame& frame : frames) {
        Header header;
        const Verdict verdict = decode_header(frame, header);
        if (!verdict.ok() || header.kind != Kind::delta || (next != 0 && header.number != next)) {
            throw InvalidArgument("Expected own DELTA frames without a gap, got another one before number " +
                                  std::to_string(next));
        }
        next = header.last_number() + 1;
        log_bytes_ += frame.size();
        log_.push_back({std::move(frame), header.number, header.last_number()});
    }
    if (next != 0 && next != last + 1) {
        throw InvalidArgument("Expected own frames up to number " + std::to_string(last) + ", got them up to " +
                              std::to_string(next - 1));
    }
    last_ = released_ = last;
    trim();
}

}  // namespace tiertwin::sync
