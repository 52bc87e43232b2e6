// One neighbour: session, both streams, credit, acknowledgements, heartbeats, snapshots and bans in one pure object.
//
//   child                                  parent
//   connect() -> HELLO        ------->     receive() -> WELCOME, what the child lacks
//   publish(), send_unit()    ------->     receive() -> rows in the tables, units handed on, ACK
//   receive()                 <-------     publish(), send_unit()
//   tick() -> HEARTBEAT, ACK, retries      tick() -> the same
//
// Pure     `now` (any origin, never backwards) is an argument; frames come in as spans and go out as vectors. No
// socket,
//          clock or randomness. Same calls, same bytes.
// Owner    the thread of its twin. Tables given to add_out and add_in must outlive the peer; an in-table is written by
//          nobody else (R15), an out-table is sent to nobody else (its cells carry this stream's numbers).
// Costs    one border crossing a frame; `receive` reads the buffer in place and keeps nothing of it.
// Resume   the object may serve many sessions: it keeps cursor, log and tables, so a reconnect goes on from memory.
//          A new object begins with a snapshot each way (R7).
// Log      a durable peer's stream upwards is kept in a log by its owner: take_unlogged() goes in, released() says how
//          much of it is on disk, and only that leaves; logged() says what of the child's stream is (peer_durable.cpp).
// Faults   of the peer never throw: they are counted, answered, and the third in a minute bans (R41).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "state/table.hpp"
#include "sync/kinds.hpp"
#include "sync/peer_inbox.hpp"
#include "sync/peer_outbox.hpp"
#include "sync/session.hpp"

namespace tiertwin::sync {

// The border of a domain between us and the peer: what is above a privacy class neither leaves nor is taken. Both ends
// seal every table of the link with it (StateTable::seal).
struct Border {
    int most = 0;
    std::vector<AttributeId> declared;  // unknown attributes that may cross; the others are private
};

struct PeerConfig {
    bool is_child = false;  // the peer is my parent: I open with HELLO
    std::uint32_t incarnation = 1;
    std::uint64_t stream_id = 1;
    std::uint32_t heartbeat_ms = 250;
    bool virtual_clock = false;  // BARRIER is a bad frame otherwise
    std::uint32_t epoch = 0;     // base epoch
    std::uint32_t term = 0;
    std::uint32_t credit_frames = 64;  // granted to the peer, and assumed of it until it says its own
    std::uint32_t credit_bytes = 4U << 20U;
    std::uint32_t snapshot_every_ms = 5000;
    std::size_t frame_bytes = kCutBytes;
    bool durable = false;  // the owner keeps a log; fixed for the life of the object
    std::optional<Border> border = std::nullopt;
};

// What changed, in the order it did; the numbers are stable.
enum class Change : std::uint8_t {
    live = 1,
    gapped = 2,
    resyncing = 3,
    lost = 4,
    banned = 5,
    suspect = 6,
    well = 7,      // no longer suspect
    swapped = 8,   // a snapshot replaced all in-tables
    alarm = 9,     // digests differ, a schema differs, or a snapshot failed three times
    term = 10,     // term() rose: to disk before `reply` leaves (parent), before anything is obeyed (child)
    barrier = 11,  // Received.epoch
    bye = 12,
    restarted = 13,  // the peer has a higher incarnation
    attached = 14,   // a session began: frames may leave
};

// A budget's lease as its taker counts it (R17).
struct Grant {
    Lease lease;
    Time until = 0;  // on our clock: when we sent the echoed heartbeat, plus the validity; 0: lapsed, echo unknown
};

struct Received {
    std::uint8_t kind = 0;  // of the frame; 0 for tick and lost, or if its header could not be read
    std::uint16_t table = 0;
    std::uint32_t count = 0;  // records that took effect
    bool accepted = false;
    Verdict verdict;
    std::int64_t epoch = -1;  // base epoch of BARRIER, HEARTBEAT or lease
    std::vector<Frame> reply;
    std::vector<Change> changes;
    std::vector<Unit> units;
    std::optional<Grant> grant;
};

class Peer {
  public:
    // `registry` must outlive the peer.
    Peer(const AttributeRegistry& registry, const PeerConfig& config);

    // Before the first session. Both ends declare the same schema (fingerprint) for a table. InvalidArgument besides:
    // an attribute of it may not cross the border.
    void add_out(StateTable& table);
    void add_in(StateTable& table);
    void add_unit_out(std::uint16_t table, const std::vector<AttributeId>& attributes, index_t rows);
    void add_unit_in(std::uint16_t table, const std::vector<AttributeId>& attributes, index_t rows);

    [[nodiscard]] std::vector<Frame> connect(Time now);  // InvalidArgument for a parent; empty while banned
    [[nodiscard]] Received receive(Bytes frame, Time now);
    [[nodiscard]] std::vector<Frame> publish(Time now);
    // Takes the unit in any state; it leaves now or as soon as session and credit let it (T29).
    [[nodiscard]] std::vector<Frame> send_unit(std::uint16_t table, UnitRecords records,
                                               const std::optional<LeaseTerms>& lease, Time now);
    [[nodiscard]] Received tick(Time now);
    [[nodiscard]] Time next_tick() const;  // when tick has something to do by itself; kNoTime: never

    // InvalidArgument under the real clock; empty while not attached.
    [[nodiscard]] std::vector<Frame> barrier(std::uint64_t epoch);
    [[nodiscard]] std::vector<Frame> bye(std::uint16_t reason, const std::string& text, Time now);
    [[nodiscard]] Received lost(Time now);  // the transport says that the peer is gone

    // --- with a log (peer_durable.cpp)
    // Child: own frames numbered since the last call, in their order; each goes into the log before anything else does.
    [[nodiscard]] std::vector<Frame> take_unlogged() { return outbox_.take_unlogged(); }
    // Child: the log has our stream on disk up to `number`; what may leave now.
    [[nodiscard]] std::vector<Frame> released(std::uint64_t number, Time now);
    // Parent: of the child's `stream`, the log has everything up to `durable` on disk; what the root has applied. An
    // ACK leaves if the former rose. Another stream than the session's changes nothing.
    [[nodiscard]] std::vector<Frame> logged(std::uint64_t stream, std::uint64_t durable, std::uint64_t at_root,
                                            Time now);
    // Child without a session: numbers what is pending, so that a snapshot of the log can hold it.
    void number_pending();
    // Before the first session, the tables brought up to date by the log: the child's stream goes on behind `cursor`.
    // Received.units: what the unit tables hold.
    [[nodiscard]] Received resume_in(std::uint64_t stream, std::uint64_t cursor);
    // The same for our own: `frames` are those that the parent may not have made durable, up to number `last`.
    void resume_out(std::uint64_t last, std::vector<Frame> frames);
    // All tables of a direction, units included, ascending id; they live as long as the peer.
    [[nodiscard]] std::vector<StateTable*> in_tables() const { return inbox_.tables(); }
    [[nodiscard]] std::vector<StateTable*> out_tables() { return outbox_.every_table(); }
    [[nodiscard]] std::uint64_t durable_in() const { return in_durable_; }    // what we acknowledge as durable
    [[nodiscard]] std::uint64_t durable_out() const { return out_durable_; }  // what was acknowledged to us as durable
    [[nodiscard]] std::uint64_t at_root_out() const { return out_at_root_; }  // … as applied at the root
    // The parent has numbers of our stream that we have not given: our log lost them, and must not give them again
    // (R8).
    [[nodiscard]] bool outdone() const { return outdone_; }
    // Own records up to here need not be kept in the log any more (R10, R12).
    [[nodiscard]] std::uint64_t settled() const { return settled_; }

    // What heartbeats say; set by the twin.
    std::uint32_t epoch = 0;
    std::uint32_t age_ms = kUnknownAge;
    std::uint8_t health = 1;
    bool snapshots_open = true;  // may one be begun? The owner's gate: at most 4 at once (R16)
    [[nodiscard]] bool snapshot_waiting() const {
        return session_.attached && session_.snapshot_out && outbox_.snapshot_wanted();
    }
    [[nodiscard]] bool snapshot_leaving() const {
        return session_.attached && session_.snapshot_out && outbox_.snapshot_leaving();
    }

    [[nodiscard]] const PeerConfig& config() const { return config_; }
    [[nodiscard]] const Session& session() const { return session_; }
    [[nodiscard]] const Outbox& outbox() const { return outbox_; }
    [[nodiscard]] const Heartbeat& peer_heartbeat() const { return heard_; }  // the newest handled
    // Age of the peer's oldest input as of now, ms: what it said plus the time since (P14); kUnknownAge: not told.
    [[nodiscard]] std::uint32_t peer_age(Time now) const;
    [[nodiscard]] std::uint32_t term() const { return term_; }
    [[nodiscard]] std::uint64_t out_digest() const { return outbox_.digest(); }
    [[nodiscard]] std::uint64_t in_digest() const { return inbox_.digest(); }
    [[nodiscard]] Time rtt() const { return rtt_; }                  // -1: unknown
    [[nodiscard]] Time heartbeat_sent(std::uint32_t counter) const;  // -1: never, or too long ago
    [[nodiscard]] std::map<std::string, std::uint64_t> counters() const;

  private:
    struct Context {  // one call
        Received& out;
        Time now;
    };

    // peer.cpp: calls and effects
    Outcome step(const Event& event, Context& at);
    void say_bye(std::uint16_t reason, const char* text, Context& at);
    void say_resync(std::uint16_t reason, Context& at);
    void carry_out(Input input, std::uint32_t effects, Context& at);
    void begin_session(Context& at);
    void send_heartbeat(Context& at);
    void send_ack(Context& at);
    void pump(Context& at, bool progress, bool samples);
    [[nodiscard]] Frame hello() const;
    [[nodiscard]] Identity identity() const;
    [[nodiscard]] bool tells_durable() const { return config_.durable && !config_.is_child; }
    [[nodiscard]] bool keeps_log() const { return config_.durable && config_.is_child; }
    void note_levels(const Ack& ack);
    void count_out(const std::vector<Frame>& frames);

    // peer_receive.cpp: frames
    void bad(Verdict verdict, Context& at);
    void schema_differs(Verdict verdict, Context& at);
    [[nodiscard]] bool admit(const Header& header, Context& at);
    void on_delta(const Header& header, Bytes frame, Context& at);
    void on_snapshot(const Header& header, Bytes frame, Context& at);
    void on_ack(Bytes body, Context& at);
    void on_resync(Bytes body, Context& at);
    void on_heartbeat(Bytes body, Context& at);
    void on_bye(Bytes body, Context& at);
    void on_barrier(Bytes body, Context& at);
    void hand_on(Unit unit, Context& at);
    void dropped(const Event& event, Context& at);
    [[nodiscard]] Grant grant_of(const Lease& lease) const;

    void seal(StateTable& table) const;
    [[nodiscard]] std::unique_ptr<StateTable> ledger(std::uint16_t table, const std::vector<AttributeId>& attributes,
                                                     index_t rows) const;

    // peer_attach.cpp
    void on_hello(const Header& header, Bytes body, Context& at);
    void on_welcome(const Header& header, Bytes body, Context& at);

    const AttributeRegistry* registry_;
    PeerConfig config_;
    Session session_;
    Outbox outbox_;
    Inbox inbox_;
    std::uint32_t term_;
    std::uint64_t newest_lease_ = 0;  // highest epoch handed on

    std::uint32_t unacknowledged_frames_ = 0;
    std::size_t unacknowledged_bytes_ = 0;
    Time ack_since_ = 0;  // when the first of them came
    bool ack_due_ = false;

    Heartbeat heard_{.counter = 0};
    Time heard_beat_at_ = 0;
    std::uint32_t beaten_ = 0;   // newest heartbeat of the peer's present life; the digest of an overtaken one is old
    std::uint32_t counter_ = 0;  // of our newest heartbeat
    std::array<Time, 256> beats_{};
    Time beat_at_ = kNoTime;
    Time rtt_ = -1;
    std::uint32_t schema_failures_ = 0;

    std::uint64_t in_durable_ = 0, in_at_root_ = 0;  // of the child's stream
    std::uint64_t out_durable_ = 0, out_at_root_ = 0, settled_ = 0;
    bool outdone_ = false;

    std::map<Reason, std::uint64_t> refused_;
    std::array<std::uint64_t, 32> frames_in_{}, frames_out_{};
    std::uint64_t digest_alarms_ = 0, snapshot_alarms_ = 0, schema_alarms_ = 0;
    std::uint64_t bytes_in_ = 0, bytes_out_ = 0, duplicates_ = 0, swaps_ = 0, stale_leases_ = 0;
};

}  // namespace tiertwin::sync
