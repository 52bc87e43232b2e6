// Tasks that somebody else sends up through a radio access network, while a step is open.
#include <string>

#include "base/error.hpp"
#include "plant/access.hpp"

namespace tiertwin::plant {

void AccessNetwork::run_tasks(Time until) {
    if (!open_ || until < tasks_now_ || until > step_end_) {
        throw InvalidArgument("until: expected a time in an open step, from " + std::to_string(tasks_now_) + " to " +
                              std::to_string(step_end_) + " ns, got " + std::to_string(until));
    }
    std::size_t kept = 0;
    for (const std::uint32_t s : sending_) {
        air_.play(s, until);
        sends_[s] = air_.idle(s) ? 0 : 1;
        if (sends_[s] != 0) sending_[kept++] = s;
    }
    sending_.resize(kept);
    tasks_now_ = until;
}

bool AccessNetwork::open() {
    if (open_) return false;
    begin_step();
    return true;
}

void AccessNetwork::send_up(std::size_t user, std::uint32_t packets, std::uint32_t bits, std::uint32_t tag, Time time) {
    if (user >= config_.users() || packets == 0 || bits == 0 || tag == kNoTag) {
        throw InvalidArgument("send_up: expected a user below " + std::to_string(config_.users()) +
                              ", a packet and a bit or more, and a tag below 2^32 - 1, got user " +
                              std::to_string(user) + ", " + std::to_string(packets) + " packets of " +
                              std::to_string(bits) + " bits, tag " + std::to_string(tag));
    }
    if (!open_ || time < tasks_now_ || time >= step_end_) {
        throw InvalidArgument("send_up: expected a time from now, " + std::to_string(tasks_now_) +
                              " ns, to the end of the " +
                              (open_ ? "open step, " + std::to_string(step_end_) + " ns" : "step: none is open") +
                              ", got " + std::to_string(time));
    }
    const std::size_t flow = kDirections * user + 1;
    const AirArrival arrival{time, static_cast<std::uint32_t>(flow), packets, bits, tag};
    const std::int32_t station = air_.flow(flow).station;
    if (station == kNoStation) return air_.wait(arrival);
    air_.insert(static_cast<std::size_t>(station), arrival);
    touch(static_cast<std::size_t>(station));
    expect_sending(static_cast<std::size_t>(station));
    use_rate(flow);
    const std::size_t cell = static_cast<std::size_t>(station) / kDirections;
    const CellState& state = states_[cell];
    if (state.asleep || state.ready - config_.wake_ms * kMillisecond > time) wake(cell, time);
}

void AccessNetwork::expect_sending(std::size_t station) {
    if (sends_[station] != 0) return;
    sends_[station] = 1;
    sending_.push_back(static_cast<std::uint32_t>(station));
}

}  // namespace tiertwin::plant
