// Which cell serves each user: L3 filtering, event A3 with hysteresis and time-to-trigger, radio-link failure,
// ping-pong.
//
//   filter   F <- (1 - a) F + a M,  a = 2^(-k/4) for a sample each 200 ms; other spacings keep the same time constant
//   enter    F_n - hysteresis > F_serving + offset, at every sample during the whole time-to-trigger
//   failure  the serving cell's SINR falls below `out` and is not above `in` again within T310
//   return   a handover back to the cell left last, within `ping_pong_ms`
//
// Source     3GPP TS 38.331 (5.5.3.2, 5.5.4.4), TR 36.839 (5.2.1 on failures and ping-pongs).
// Costs      O(users x slots) a sample, about 10 ns a slot; 24 bytes a slot.
// Order      users in ascending order; of several triggered cells the strongest, of equal ones the lowest id.
// Thread safety  one thread owns a tracker.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::radio {

struct HandoverRules {
    double hysteresis = 3.0;       // dB, 0 ... 15
    double offset = 0.0;           // dB, -15 ... 15
    double trigger_ms = 256.0;     // 0 ... 5120
    double filter_k = 4.0;         // 0 (none) ... 19
    double out = -8.0, in = -6.0;  // dB, out <= in
    double t310_ms = 1000.0;
    double ping_pong_ms = 1000.0;
};

enum class Move : std::uint8_t { attach = 1, handover = 2, failure = 3 };

struct MoveEvent {
    std::uint32_t user = 0;
    Move move = Move::attach;
    std::int32_t from = -1, to = -1;  // -1: none
    bool ping_pong = false;
};

inline constexpr std::int32_t kNoCell = -1;

class HandoverTracker {
  public:
    // Up to `slots` cells are measured of each user at a time. InvalidArgument: a rule outside its range, no user or
    // slot.
    HandoverTracker(index_t users, index_t slots, const HandoverRules& rules);

    // One sample of everybody. `cells` and `rsrp` (dBm) are [users x slots]; kNoCell leaves a slot empty, and a cell
    // that is not measured is forgotten at once. `sinr` (dB) is that of the serving cell as it was, [users]; NaN: not
    // known, which counts neither as bad nor as good. InvalidArgument: sizes, a time that is not later than the last
    // one's, a value that is not finite, a cell twice for one user; nothing has changed then.
    const std::vector<MoveEvent>& step(double time_ms, std::span<const std::int32_t> cells,
                                       std::span<const double> rsrp, std::span<const double> sinr);

    [[nodiscard]] std::span<const std::int32_t> serving() const { return serving_; }  // [users]
    [[nodiscard]] double time() const { return time_; }                               // ms, of the last sample
    [[nodiscard]] const HandoverRules& rules() const { return rules_; }

  private:
    struct Slot {
        std::int32_t cell = kNoCell;
        double level = 0.0;   // filtered, dBm
        double since = -1.0;  // the entering condition has held since, ms; -1: it does not hold
    };
    struct History {
        std::int32_t left = kNoCell;  // by the last handover
        double left_at = 0.0;
        double bad_since = -1.0;  // T310 runs since
    };

    void check(double time_ms, std::span<const std::int32_t> cells, std::span<const double> rsrp,
               std::span<const double> sinr) const;
    void filter(std::span<Slot> slots, std::span<const std::int32_t> cells, std::span<const double> rsrp,
                double weight);
    [[nodiscard]] bool failed(History& history, double sinr) const;
    void move(std::uint32_t user, Move how, std::span<Slot> slots, std::int32_t to);
    void decide(std::uint32_t user, std::span<Slot> slots, double sinr);

    HandoverRules rules_;
    index_t slots_;
    double time_ = -1.0;
    std::vector<Slot> state_;  // [users x slots]
    std::vector<Slot> fresh_;  // of one user, while it is brought up to date
    std::vector<History> history_;
    std::vector<std::int32_t> serving_;
    std::vector<MoveEvent> events_;
};

}  // namespace tiertwin::radio
