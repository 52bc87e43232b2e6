// Laws 7 and 9 over a channel in memory that loses, repeats, delays and thereby reorders, cuts one way, and breaks.
// It knows no connections: what was said to one life of a peer may reach its next one.
//
// Every option is drawn from the seed. A seed that fails is printed with its options; run it alone with
//     TIERTWIN_SEED=1234 build/dev/tests/cpp/core_tests -tc='laws*'
// TIERTWIN_SEEDS=100000 runs more of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "peer_pair.hpp"

namespace peer_laws_test {

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

constexpr Time kBeat = 25 * kMs;
constexpr std::uint32_t kValidityMs = 60'000, kPlanRows = 8;
constexpr std::size_t kChild = 0, kParent = 1;

struct Options {
    unsigned drop, repeat, cut;  // in 1000
    unsigned delay_low, delay_more, reset_every, credit, frame_bytes, rows, fault_beats;
    bool restarts;

    explicit Options(std::mt19937& random) {
        const auto one_of = [&](std::initializer_list<unsigned> all) { return all.begin()[random() % all.size()]; };
        const auto some = [&](unsigned value) { return random() % 3U == 0 ? 0U : value; };
        drop = some(one_of({10, 100, 300}));
        repeat = some(one_of({10, 100, 300}));
        cut = some(20);
        delay_low = one_of({0, 1, 20});
        delay_more = some(one_of({5, 60, 200}));
        reset_every = some(one_of({150, 800}));
        credit = one_of({1, 2, 8, 64});
        frame_bytes = one_of({256, 400, 4096, 262144});
        rows = one_of({1, 7, 60});
        fault_beats = one_of({20, 60, 120});
        restarts = random() % 4U == 0;
    }

    [[nodiscard]] std::string told() const {
        std::ostringstream out;
        out << "drop " << drop << " repeat " << repeat << " cut " << cut << " delay " << delay_low << "+" << delay_more
            << " reset " << reset_every << " credit " << credit << " frame " << frame_bytes << " rows " << rows
            << " beats " << fault_beats << (restarts ? " restarts" : "");
        return out.str();
    }
};

struct End {
    StateTable out, into;
    Peer peer;
    Time connect_at = kNoTime;
    std::uint64_t stream = 0, cursor = 0;  // of what is received: never back within one stream (R9)
    std::uint64_t lease = 0;               // newest obeyed
    double query = -1.0, budget = -1.0;    // newest taken

    End(const AttributeRegistry& registry, const PeerConfig& config, index_t rows)
        : out(registry, kTelemetry, {kLoad}, rows), into(registry, kTelemetry, {kLoad}, rows), peer(registry, config) {
        peer.add_out(out);
        peer.add_in(into);
        for (const std::uint16_t table : {kBudget, kQuery}) {
            config.is_child ? peer.add_unit_in(table, {kQuota, kPrice}, kPlanRows)
                            : peer.add_unit_out(table, {kQuota, kPrice}, kPlanRows);
        }
    }
};

class World {
  public:
    explicit World(unsigned seed) : random_(seed), options(random_) {
        for (const std::size_t side : {kChild, kParent}) make(side, 1, side + 1);
        ends_[kChild]->connect_at = 0;
    }

    void run() {
        for (unsigned beat = 1; beat <= options.fault_beats && wrong.empty(); ++beat) {
            this->beat();
            if (options.restarts && in(1000) < 30) restart();
            say(static_cast<double>(beat));
        }
        faulty_ = false;
        cut_until_ = {};
        // Half a minute, and two minutes where a ban may have to pass: a frame of a new life that overtakes its HELLO,
        // as no connection lets it, looks like a lie.
        for (unsigned beat = 0; beat < (options.restarts ? 4800U : 1200U) && wrong.empty() && !(beat > 20 && settled());
             ++beat)
            this->beat();
        for (unsigned beat = 0; beat < 20 && wrong.empty(); ++beat) this->beat();  // heartbeats compare digests
        compare();
    }

  private:
    std::mt19937 random_;

  public:
    const Options options;
    std::string wrong;

  private:
    [[nodiscard]] unsigned in(unsigned n) { return static_cast<unsigned>(random_() % n); }

    void expect(bool holds, const char* law) {
        if (!holds && wrong.empty()) wrong = law;
    }

    void make(std::size_t side, std::uint32_t incarnation, std::uint64_t stream) {
        PeerConfig config;
        config.is_child = side == kChild;
        config.incarnation = incarnation;
        config.stream_id = stream;
        config.credit_frames = options.credit;
        config.frame_bytes = options.frame_bytes;
        config.snapshot_every_ms = 500;
        ends_[side] = std::make_unique<End>(registry_, config, options.rows);
    }

    // As after a crash: the next incarnation, another stream, empty tables.
    void restart() {
        const std::size_t side = in(2);
        make(side, ends_[side]->peer.config().incarnation + 1, (std::uint64_t{random_()} << 20U) + 7);
        if (side == kChild) ends_[side]->connect_at = now_ + 10 * kMs;
        if (side == kParent) said_query_ = said_budget_ = -1.0;
    }

    void post(Time delay, std::size_t to, Frame frame) {
        flying_.emplace(now_ + delay, std::pair{to, std::move(frame)});
    }

    void send(std::size_t from, const std::vector<Frame>& frames) {
        for (const Frame& frame : frames) {
            if (!faulty_) {
                post(kMs, 1 - from, frame);
                continue;
            }
            if (in(1000) < options.drop) continue;
            for (unsigned copies = in(1000) < options.repeat ? 2 : 1; copies > 0; --copies) {
                post(static_cast<Time>(options.delay_low + in(options.delay_more + 1)) * kMs, 1 - from, frame);
            }
        }
    }

    void carry(std::size_t side, const Received& got) {
        End& end = *ends_[side];
        send(side, got.reply);
        for (const Unit& unit : got.units) take(end, unit);
        if (got.grant) {
            expect(got.grant->until <= decided_[base_epoch_of(got.grant->lease.epoch)] + kValidityMs * kMs,
                   "R17: no lease lives longer than from its decision");
        }
        const Session& session = end.peer.session();
        expect(session.stream != end.stream || session.cursor >= end.cursor, "R9: a cursor never goes back");
        end.stream = session.stream;
        end.cursor = session.cursor;
        for (const Change change : got.changes) {
            if (side == kChild && (change == Change::lost || change == Change::banned)) {
                end.connect_at = now_ + static_cast<Time>(5 + in(95)) * kMs;
            }
        }
    }

    void take(End& end, const Unit& unit) {
        const double value = unit.columns[0].values[0];
        bool whole = unit.columns.size() == 2;
        for (const UnitColumn& column : unit.columns) {
            whole = whole && column.values.size() == kPlanRows &&
                    std::all_of(column.values.begin(), column.values.end(), [&](double v) { return v == value; });
        }
        expect(whole, "units: whole, never mixed");
        double& newest = unit.table == kBudget ? end.budget : end.query;
        expect(value >= newest, "law 7: none older than the newest taken");
        newest = value;
        if (!unit.lease) return;
        expect(unit.lease->epoch >= end.lease, "law 7: no decision older than the newest applied");
        expect(term_of(unit.lease->epoch) == end.peer.term(), "P6: none of a lower term");
        expect(static_cast<double>(base_epoch_of(unit.lease->epoch)) == value, "units: under their own lease");
        end.lease = unit.lease->epoch;
    }

    void beat() {
        const Time until = now_ + kBeat;
        while (!flying_.empty() && flying_.begin()->first <= until) {
            auto [to, frame] = std::move(flying_.begin()->second);
            now_ = std::max(now_, flying_.begin()->first);
            flying_.erase(flying_.begin());
            if (faulty_ && now_ < cut_until_[to]) continue;
            carry(to, ends_[to]->peer.receive(frame, now_));
        }
        now_ = until;
        if (faulty_ && options.reset_every != 0 && in(options.reset_every) < 25) reset();
        if (faulty_ && in(1000) < options.cut) cut_until_[in(2)] = now_ + static_cast<Time>(50 + in(1450)) * kMs;
        for (const std::size_t side : {kChild, kParent}) {
            End& end = *ends_[side];
            if (now_ >= end.connect_at) {
                const std::vector<Frame> hello = end.peer.connect(now_);  // nothing while banned
                end.connect_at = hello.empty() ? now_ + kSecond : kNoTime;
                send(side, hello);
            }
            carry(side, end.peer.tick(now_));
            send(side, end.peer.publish(now_));
        }
    }

    // The connection breaks: what was in flight is lost, or comes again much later.
    void reset() {
        auto flying = std::move(flying_);
        flying_.clear();
        for (auto& [at, item] : flying) {
            if (in(2) == 0) post(static_cast<Time>(1 + in(400)) * kMs, item.first, std::move(item.second));
        }
        for (const std::size_t side : {kChild, kParent}) carry(side, ends_[side]->peer.lost(now_));
    }

    void say(double beat) {
        for (const auto& end : ends_) {
            std::vector<std::uint32_t> rows{in(options.rows)};
            end->out.set(kLoad, rows, std::vector<double>{static_cast<double>(in(1000)) / 8.0}, now_);
        }
        Peer& parent = ends_[kParent]->peer;
        if (in(10) < 3) {
            said_query_ = beat;
            send(kParent, parent.send_unit(kQuery, unit_of(beat, kPlanRows, now_), std::nullopt, now_));
        }
        if (in(10) < 2) {
            said_budget_ = beat;
            const auto epoch = static_cast<std::uint32_t>(beat);
            decided_[epoch] = now_;
            const LeaseTerms lease{
                .base_epoch = epoch, .basis_version = 1, .validity_ms = kValidityMs, .age_ms = 5, .flags = 2};
            send(kParent, parent.send_unit(kBudget, unit_of(beat, kPlanRows, now_), lease, now_));
        }
    }

    // Whether `other` has all that `end` has to say, and `end` knows.
    [[nodiscard]] static bool settled(const End& end, const End& other) {
        const Session &session = end.peer.session(), &heard = other.peer.session();
        const Outbox& outbox = end.peer.outbox();
        return session.state == State::live && session.acked == outbox.last() && end.out.dirty_count() == 0 &&
               outbox.held_units() == 0 && !outbox.snapshot_active() && heard.stream == end.peer.config().stream_id &&
               heard.cursor == outbox.last();
    }

    [[nodiscard]] bool settled() const {
        return settled(*ends_[kChild], *ends_[kParent]) && settled(*ends_[kParent], *ends_[kChild]);
    }

    void compare() {
        const End &child = *ends_[kChild], &parent = *ends_[kParent];
        expect(settled(), "law 9: both live, nothing waiting, nothing unacknowledged");
        expect(child.out.equal(parent.into), "law 9: the parent's copy equals the child's table");
        expect(parent.out.equal(child.into), "law 9: the child's copy equals the parent's table");
        expect(child.peer.out_digest() == parent.peer.in_digest(), "law 9: equal digests upwards");
        expect(parent.peer.out_digest() == child.peer.in_digest(), "law 9: equal digests downwards");
        expect(said_query_ < 0 || child.query == said_query_, "the last query arrives");
        expect(said_budget_ < 0 || child.budget == said_budget_, "T29: the last plan arrives");
        for (const auto& end : ends_) {
            expect(end->peer.counters().at("alarms.digest") == 0, "R14: honest peers agree on every digest");
            expect(end->peer.session().patience >= kFirstWait && end->peer.session().patience <= kLongestWait,
                   "patience stays within its bounds");
        }
    }

    AttributeRegistry registry_ = make_registry();
    std::array<std::unique_ptr<End>, 2> ends_;
    std::multimap<Time, std::pair<std::size_t, Frame>> flying_;
    std::array<Time, 2> cut_until_{};  // no frame reaches this side before then
    std::map<std::uint32_t, Time> decided_;
    double said_query_ = -1.0, said_budget_ = -1.0;
    bool faulty_ = true;
    Time now_ = 0;
};

unsigned number_from(const char* variable, unsigned otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

void check(unsigned seed) {
    World world(seed);
    world.run();
    INFO("TIERTWIN_SEED=" << seed << ": " << world.options.told());
    CHECK(world.wrong == "");
}

}  // namespace

TEST_CASE("laws 7 and 9: whatever a channel does to frames, only the newest is obeyed, and tables are equal at last") {
    const unsigned only = number_from("TIERTWIN_SEED", UINT32_MAX);
    const unsigned first = only == UINT32_MAX ? 0 : only;
    const unsigned count = only == UINT32_MAX ? number_from("TIERTWIN_SEEDS", 10000) : 1;
    for (unsigned k = 0; k < count; ++k) check(first + k);
}

TEST_CASE("laws 7 and 9: seeds that failed once") {
    // An acknowledgement given to an earlier life of the receiver, of a snapshot as of the number of the present one:
    // the snapshot was lost, or its receiver began anew, and every wish for another was taken for an overtaken one.
    for (const unsigned seed :
         {45037U, 299519U, 648129U, 853193U, 871185U, 884697U, 889426U, 984043U, 1128766U, 1186516U, 1552724U}) {
        check(seed);
    }
}

}  // namespace peer_laws_test
