// What we send to one peer: one stream of numbered records over all our tables, and what of it may have to go again.
//
// Samples    wait pending in their table (latest per cell) until credit lets them be numbered and encoded (R8).
// Units      (cut, point, query, budget) wait whole, newest first come newest served: a plan or query replaces an older
//            waiting one, a cut or point one that names no other row. When numbered they also enter a *ledger*, a
//            StateTable of our own, so that digest and snapshot cover them like any table. Whole columns with one
//            time: it is compacted, a third of a table's bytes.
// Log        sealed frames from number to acknowledgement; its bound is the credit (R13): nothing more is numbered
//            while it is full. Sent again byte for byte but for incarnation, retransmission flag and crc.
// Durable    (keep_log) frames wait for the owner's log: copies of what is numbered go to take_unlogged(), and nothing
//            leaves beyond release(). If the peer keeps a log as well, frames stay here until it has made them durable;
//            of those that it has received at most 1 024 or 64 MiB: whoever lacks older ones gets a snapshot.
// Snapshot   everything pending is numbered without a frame, then coded as of that number; nothing else leaves until
//            the peer has acknowledged it. At most one is begun in `snapshot_every` (R16).
// Budgets    belong to a term. A new session has a new one, so the newest plan that the peer may lack is numbered
//            afresh under it, less the time since it was decided: a lease is never prolonged (R17).
// Retries    cost bytes of a purse that fresh traffic fills with a tenth of its own (R16); when it is empty, one frame
//            goes a timer or acknowledgement.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "state/table.hpp"
#include "sync/codec.hpp"
#include "sync/session.hpp"

namespace tiertwin::sync {

inline constexpr std::uint32_t kMostCreditFrames = 1024, kMostCreditBytes = 64U << 20U;  // whatever a peer grants

// A budget's lease as its maker knows it; term and echo are the session's.
struct LeaseTerms {
    std::uint32_t base_epoch = 0;
    std::uint64_t basis_version = 0;
    std::uint32_t validity_ms = 0;
    std::uint32_t age_ms = 0;
    std::uint32_t flags = 0;
};

struct UnitRecords {
    std::vector<AttributeId> attributes;  // record i is (attributes[i], rows[i], values[i])
    std::vector<std::uint32_t> rows;
    std::vector<double> values;
    Time time = 0;
};

// Who we are to the peer at this moment; goes into every frame.
struct Identity {
    std::uint32_t incarnation = 0;
    std::uint32_t term = 0;
    std::uint32_t echo = 0;  // the peer's last heartbeat handled
};

struct OutboxCounters {
    std::uint64_t fresh_frames = 0, fresh_bytes = 0, again_frames = 0, again_bytes = 0;
    std::uint64_t units = 0, units_replaced = 0, units_dropped = 0, snapshots = 0, chunks = 0;
};

class Outbox {
  public:
    Outbox(std::size_t frame_bytes, Time snapshot_every) : frame_bytes_(frame_bytes), snapshot_every_(snapshot_every) {}

    void add_table(StateTable& table);  // InvalidArgument for a unit table or a second one of an id
    void add_units(std::unique_ptr<StateTable> ledger);

    void take_credit(std::uint32_t frames, std::uint32_t bytes);
    [[nodiscard]] std::uint64_t last() const { return last_; }
    [[nodiscard]] std::uint64_t log_first() const { return log_.empty() ? last_ + 1 : log_.front().first; }
    [[nodiscard]] std::uint64_t digest() const;
    [[nodiscard]] std::size_t log_frames() const { return log_.size(); }
    [[nodiscard]] std::size_t held_units() const { return held_.size(); }
    [[nodiscard]] bool snapshot_active() const { return snapshot_wanted_ || !chunks_.empty(); }
    [[nodiscard]] const OutboxCounters& counters() const { return counters_; }

    // Takes a unit over, whole or not at all (InvalidArgument, NotFound: an attribute, row or value out of order).
    void hold(std::uint16_t table, UnitRecords records, const std::optional<LeaseTerms>& lease, Time now);

    // --- effects of the session
    void begin(bool peer_restarted);       // a new session: nothing counts as sent
    void send_from(std::uint64_t cursor);  // the peer has everything up to here
    void want_snapshot();
    void send_chunks(std::uint32_t first);
    void acknowledge(std::uint64_t received, std::uint64_t durable = 0);
    void send_again(const Session& session);  // the retry timer

    // --- with a log (peer_outbox_durable.cpp)
    void keep_log();
    void keep_until_durable(bool both);  // both ends keep a log: R10
    [[nodiscard]] bool by_durable() const { return by_durable_; }
    void release(std::uint64_t number);  // the log has everything up to here on disk
    [[nodiscard]] std::vector<Frame> take_unlogged();
    void number_all(const Identity& me);  // whatever the credit; needs a log
    void trim();                          // without a session: forgets the oldest frames beyond the bound
    void resume(std::uint64_t last, std::vector<Frame> frames);
    [[nodiscard]] std::vector<StateTable*> every_table();

    // Numbers and encodes what credit allows, then moves frames that may leave into `out`. `progress` permits one retry
    // without budget. `samples`: number pending samples as well. `open`: the gate for new snapshots.
    void pump(Session& session, const Identity& me, Time now, bool progress, bool samples, bool open,
              std::vector<Frame>& out);

  private:
    struct Logged {
        Frame frame;
        std::uint64_t first, last;
    };
    struct Held {
        std::uint16_t table;
        UnitRecords records;
        std::optional<LeaseTerms> lease;
        Time since;
    };

    struct Plan {  // the last one numbered; its records stand in the ledger
        std::optional<LeaseTerms> lease;
        Time since;
        std::uint64_t first, last;
    };

    [[nodiscard]] std::vector<const StateTable*> all_tables() const;
    [[nodiscard]] bool room() const;
    void hold_newest_plan();  // once more, unless a newer one waits
    void replace_older(const Held& unit);
    void number_units(const Identity& me, Time now);
    void number_samples(const Identity& me);
    void append(std::vector<EncodedDelta> frames);
    void begin_snapshot(const Identity& me, Time now);
    void pump_chunks(Session& session, const Identity& me, Time now, std::vector<Frame>& out);
    void pump_log(Session& session, const Identity& me, Time now, bool progress, std::vector<Frame>& out);
    void rewind();
    void clear_log();
    void drop_front();
    void note_received(std::uint64_t received);

    std::size_t frame_bytes_;
    Time snapshot_every_;
    std::vector<StateTable*> tables_;  // ascending id
    std::map<std::uint16_t, std::unique_ptr<StateTable>> ledgers_;
    std::uint64_t last_ = 0;

    std::deque<Logged> log_;
    std::size_t log_bytes_ = 0;
    std::size_t sent_frames_ = 0, sent_bytes_ = 0;  // of the log's front, in this session
    std::size_t kept_frames_ = 0, kept_bytes_ = 0;  // of the log's front: received, not yet durable there
    bool keeps_log_ = false, by_durable_ = false;
    std::uint64_t released_ = UINT64_MAX;
    std::vector<Frame> unlogged_;
    std::size_t credit_frames_ = 64, credit_bytes_ = std::size_t{4} << 20U;
    std::size_t purse_ = std::size_t{4} << 20U;  // bytes that may be sent again

    std::deque<Held> held_;
    std::optional<Plan> newest_plan_;

    bool snapshot_wanted_ = false;
    bool under_way_ = false;       // chunks_ were begun in this session
    Time snapshot_at_ = kLongAgo;  // when one was last begun
    std::vector<Frame> chunks_;
    std::size_t next_chunk_ = 0;
    std::uint64_t as_of_ = 0;

    OutboxCounters counters_;
};

}  // namespace tiertwin::sync
