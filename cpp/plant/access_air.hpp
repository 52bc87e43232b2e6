// The air of radio cells: packets wait at their user (up) or at the base station (down) and are sent in slots of 1 ms
// on physical resource blocks (PRBs). A station is one direction of one cell, a flow is one direction of one user.
//
//   slot       the station's PRBs are dealt one by one, in turn, to the flows that have packets, until nobody needs
//   more:
//              need = min(ceil(bits that wait / bits of a PRB), most PRBs its power allows). Which flow begins goes
//              round
//   in order   (the other law) the flow whose packets have waited longest takes what it needs, then the next
//   packet     in the queue from its birth; sent from the first slot that begins then or later; received at the end of
//              the slot that carries its last bit; a partly sent packet goes on in the next slot
//   buffer     a packet that finds `buffer` packets of its flow not yet taken into a slot is lost
//   task       an arrival of several packets: done with its last packet, lost if one of them was. One that carries a
//              tag is named in `finished` then, or where its first packet would have waited if none found room
//
// Nothing is drawn here: arrivals come in, in order of time. What happens in one station during one step touches no
// other one, so stations are played one after the other, and cutting time anywhere changes nothing.
//
// Modelled   PRB granularity, equal shares, finite buffers, power limits. Not modelled: retransmissions, the delay of
//            scheduling requests, control channels beyond the efficiency of the rate.
// Units      ns, bits; a slot is 1 ms.
// Costs      a slot about 20 ns and 25 ns a flow that waits in it; a packet a few ns beyond that. 32 bytes an arrival
//            that waits, 112 a flow.
// Thread     one thread owns it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "plant/packet_delays.hpp"

namespace tiertwin::plant {

inline constexpr Time kSlot = kMillisecond;
inline constexpr std::int32_t kNoStation = -1;
inline constexpr std::uint32_t kNoTag = 0xffff'ffff;

// What enters a station at a time. No packets: the flow's interruption is over, and it may be sent again.
struct AirArrival {
    Time time = 0;
    std::uint32_t flow = 0;
    std::uint32_t packets = 0;
    std::uint32_t bits = 0;  // of each packet
    std::uint32_t tag = kNoTag;
};

struct AirFlow {
    std::int64_t waiting_bits = 0;  // not yet sent
    std::uint32_t head = 0, tail = 0;
    std::uint32_t waiting = 0;     // packets not wholly sent
    std::uint32_t first_sent = 0;  // bits of the first packet that are
    std::uint32_t prb_bits = 0;    // 0: cannot be heard
    std::uint32_t most_prbs = 0;   // in a slot
    std::int32_t station = kNoStation;
    std::uint32_t buffer = 0;
    std::uint32_t group = 0;  // in whose books it is counted
    bool listed = false, held = false;
    std::uint32_t prbs = 0;  // in this step
    // since the last report
    std::uint32_t received = 0, lost = 0;
    std::uint32_t blocks = 0;  // PRBs since its last tagged task finished
    std::int64_t received_bits = 0;
    double delay_ms = 0.0;
};

// Books of one group of flows: packets and tasks.
struct AirCount {
    std::int64_t sent = 0, received = 0, lost = 0, bits = 0;
    std::int64_t tasks_sent = 0, tasks_done = 0, tasks_lost = 0;
    std::int64_t delay = 0, longest = 0, task_delay = 0;  // ns; sums over packets, tasks
};

// A tagged task that is over. It took `blocks` PRBs of a station that has `prbs` a slot; where two tasks of a flow
// share a slot, the one that ends in it has them all.
struct AirFinished {
    std::uint32_t flow, tag, blocks, prbs;
    bool lost;
};

// One batch of equal packets that were received at one time, when records are kept.
struct AirRecord {
    std::uint32_t flow, packets;
    Time born, received;  // received -1: lost
};

class Air {
  public:
    // `prbs` and `in_order` by station; `group` and `buffer` by flow. Requires prbs >= 1, groups >= 1, group < groups,
    // and sizes that fit.
    Air(std::span<const std::uint32_t> prbs, std::span<const std::uint8_t> in_order,
        std::span<const std::uint32_t> group, std::span<const std::uint32_t> buffer, std::size_t groups);

    // -- between slots: who is where, and how well it is heard -------------------------------------------------------
    void move(std::size_t flow, std::int32_t station);  // with its packets; kNoStation: waits
    void hold(std::size_t flow);                        // is not sent until an arrival without packets comes for it
    void set_rate(std::size_t flow, std::uint32_t prb_bits, std::uint32_t most_prbs);
    void set_ready(std::size_t station, Time time) { stations_[station].ready = time; }  // no slot begins before

    // -- time --------------------------------------------------------------------------------------------------------
    void arrive(std::size_t station, const AirArrival& arrival) { stations_[station].arrivals.push_back(arrival); }
    void insert(std::size_t station, const AirArrival& arrival);  // into sorted ones; not before what was played
    void wait(const AirArrival& arrival);                         // at once, of a flow that has no station
    void sort(std::size_t station);                               // arrivals of the step, by (time, flow)
    void play(std::size_t station, Time until);                   // everything before `until`
    [[nodiscard]] bool idle(std::size_t station) const {          // nobody waits there, nor comes
        return stations_[station].list.empty() && stations_[station].next == stations_[station].arrivals.size();
    }
    void clear(std::size_t station);  // after a step: its arrivals and its used PRBs

    // -- what may be seen --------------------------------------------------------------------------------------------
    [[nodiscard]] std::span<const AirFlow> flows() const { return flows_; }
    [[nodiscard]] AirFlow& flow(std::size_t f) { return flows_[f]; }
    [[nodiscard]] std::size_t stations() const { return stations_.size(); }
    [[nodiscard]] std::uint64_t used(std::size_t station) const {
        return stations_[station].used;
    }  // PRBs in this step
    [[nodiscard]] std::uint32_t prbs(std::size_t station) const { return stations_[station].prbs; }
    [[nodiscard]] std::span<const std::uint32_t> listed(std::size_t station) const { return stations_[station].list; }
    [[nodiscard]] std::span<const AirArrival> arrivals(std::size_t s) const { return stations_[s].arrivals; }
    [[nodiscard]] std::uint64_t most_used() const { return most_used_; }  // PRBs of one slot, over all stations
    [[nodiscard]] std::span<const std::uint32_t> senders();               // flows sent in this step, ascending
    void forget_senders();
    [[nodiscard]] std::span<const AirFinished> finished();  // by flow, those of one flow as they were sent
    void forget_finished() { finished_.clear(); }
    [[nodiscard]] std::span<const AirCount> counts() const { return counts_; }  // since the last forget_counts
    [[nodiscard]] std::int64_t under_way() const;
    [[nodiscard]] Time quantile(std::size_t group, double q) { return delays_.quantile(group, q); }  // of packets
    [[nodiscard]] Time task_quantile(std::size_t group, double q) { return task_delays_.quantile(group, q); }
    template <typename Take>
    void each_delay(std::size_t group, Take take) {  // see PacketDelays::each
        delays_.each(group, take);
    }
    void forget_counts();
    void keep_records() { keep_ = true; }
    [[nodiscard]] std::span<const AirRecord> records() const { return records_; }

  private:
    static constexpr std::uint32_t kNone = 0xffff'ffff;
    struct Batch {  // packets born together, of one size
        Time born;
        std::uint32_t bits, left, next, tag;
        bool whole;  // none of its task was lost
    };
    struct Station {
        Time slot = 0;   // where the next one begins
        Time ready = 0;  // asleep or waking before it
        std::uint32_t prbs = 0;
        bool in_order = false;
        std::uint64_t used = 0;
        std::vector<std::uint32_t> list;  // flows with packets; the first one begins
        std::vector<AirArrival> arrivals;
        std::size_t next = 0;  // arrival
    };

    void enter(std::size_t station, const AirArrival& arrival);
    void queue(AirFlow& flow, std::uint32_t number, const AirArrival& arrival);
    void show(std::size_t flow);  // puts it on its station's list if it belongs there
    void serve(Station& station);
    void deal(const Station& station);
    void send(std::uint32_t number, std::uint32_t prbs, Time done);
    void receive(AirFlow& flow, std::uint32_t number, const Batch& batch, std::uint32_t packets, Time done);

    std::vector<Station> stations_;
    std::vector<AirFlow> flows_;
    std::vector<Batch> batches_;
    std::uint32_t free_ = kNone;
    std::vector<std::uint32_t> need_, given_;  // scratch of a slot
    std::vector<std::uint32_t> senders_;
    std::vector<AirFinished> finished_;
    std::vector<AirCount> counts_;
    PacketDelays delays_, task_delays_;
    std::uint64_t most_used_ = 0;
    bool keep_ = false;
    std::vector<AirRecord> records_;
};

}  // namespace tiertwin::plant
