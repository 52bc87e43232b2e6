#include "plant/flows.hpp"

#include <algorithm>
#include <limits>

namespace tiertwin::plant {
namespace {

constexpr double kFloor = 1e-3;  // of an equal part, on top of every grant

}  // namespace

FlowStation::FlowStation(Discipline within, double servers, double speed, double buffer_s, index_t flows)
    : within_(within),
      servers_(servers),
      speed_(speed),
      buffer_s_(buffer_s),
      capacity_(servers * speed),
      flows_(static_cast<std::size_t>(flows)),
      departures_(flows) {
    weigh();
}

// -- weights and rates -----------------------------------------------------------------------------------------------

void FlowStation::weigh() {
    const double equal = capacity_ / static_cast<double>(flows_.size());
    weights_ = 0;
    for (Flow& flow : flows_) {
        flow.weight = (flow.share < 0 ? equal : std::min(flow.share, capacity_)) + kFloor * equal;
        weights_ += flow.weight;
    }
}

void FlowStation::grow(Time now, index_t flows) {
    flows_.resize(static_cast<std::size_t>(flows));
    departures_ = EventTree(flows);
    weigh();
    settle(now);
    for (const std::int32_t f : active_) plan(f);
}

void FlowStation::grant(Time now, index_t first, std::span<const double> shares) {
    for (std::size_t i = 0; i < shares.size(); ++i) flows_[static_cast<std::size_t>(first) + i].share = shares[i];
    weigh();
    settle(now);
}

void FlowStation::set_speed(Time now, double speed) {
    advance(now);
    speed_ = speed;
    settle(now);
}

// The common factor of the weights when there are not servers for all. Flows it would give more than they can use get
// just that and drop out; the rest then shares more, so the ones that dropped out stay out.
double FlowStation::level() const {
    double level = 0;
    for (std::size_t out = 0;;) {
        std::size_t dropped = 0;
        double left = servers_, weights = 0;
        for (const std::int32_t f : active_) {
            const Flow& flow = flows_[static_cast<std::size_t>(f)];
            if (usable(flow) <= level * flow.weight) {
                left -= usable(flow);
                ++dropped;
            } else {
                weights += flow.weight;
            }
        }
        if (weights == 0 || (level > 0 && dropped <= out)) return level;
        level = left / weights;
        out = dropped;
    }
}

void FlowStation::settle(Time now) {
    ample_ = static_cast<double>(usable_) <= servers_;
    const double factor = ample_ ? std::numeric_limits<double>::infinity() : level();
    for (const std::int32_t f : active_) {
        const Flow& flow = flows_[static_cast<std::size_t>(f)];
        set_rate(f, now, std::min(usable(flow), factor * flow.weight));
    }
}

void FlowStation::settle(Time now, std::int32_t changed) {
    const bool was_ample = ample_;
    Flow& flow = flows_[static_cast<std::size_t>(changed)];
    flow.rate = 0;  // its next task to leave may be another one: plan it anew whatever its rate
    if (was_ample && static_cast<double>(usable_) <= servers_) {
        if (!flow.tasks.empty()) set_rate(changed, now, usable(flow));
    } else {
        settle(now);
    }
}

void FlowStation::set_rate(std::int32_t f, Time now, double servers) {
    Flow& flow = flows_[static_cast<std::size_t>(f)];
    const double rate =
        speed_ * (within_ == Discipline::kSharing ? servers / static_cast<double>(flow.tasks.size()) : servers);
    if (rate == flow.rate) return;
    serve(flow, now);
    flow.rate = rate;
    plan(f);
}

void FlowStation::plan(std::int32_t f) {
    const Flow& flow = flows_[static_cast<std::size_t>(f)];
    departures_.set(f, flow.last + whole_ns(std::max(0.0, flow.tasks.front().key - flow.service) / flow.rate));
}

// -- tasks -----------------------------------------------------------------------------------------------------------

void FlowStation::advance(Time now) {
    const double elapsed_s = static_cast<double>(now - last_) * 1e-9;
    last_ = now;
    const double busy = busy_servers();
    busy_s_ += busy * elapsed_s;
    backlog_ -= speed_ * busy * elapsed_s;
}

void FlowStation::serve(Flow& flow, Time now) const {
    const double service = flow.rate * static_cast<double>(now - flow.last) * 1e-9;
    flow.last = now;
    flow.service += service;
    flow.backlog -= within_ == Discipline::kSharing ? service * static_cast<double>(flow.tasks.size()) : service;
}

bool FlowStation::full(const Flow& flow) const {
    const double work = buffer_s_ * servers_ * speed_;
    return backlog_ > work && flow.backlog > work * (flow.weight / weights_);
}

bool FlowStation::join(Time now, TaskId task, double work, index_t f) {
    advance(now);
    Flow& flow = flows_[static_cast<std::size_t>(f)];
    if (!flow.tasks.empty()) serve(flow, now);
    if (!up_ || full(flow)) return false;
    if (flow.tasks.empty()) {
        flow.place = active_.size();
        flow.last = now;
        active_.push_back(static_cast<std::int32_t>(f));
    }
    backlog_ += work;
    flow.backlog += work;
    flow.tail = (within_ == Discipline::kSharing ? flow.service : std::max(flow.service, flow.tail)) + work;
    usable_ += within_ == Discipline::kSharing || flow.tasks.empty() ? 1 : 0;
    ++present_;
    flow.tasks.push({flow.tail, joins_++, task});
    settle(now, static_cast<std::int32_t>(f));
    return true;
}

TaskId FlowStation::depart(Time now) {
    advance(now);
    const std::int32_t f = departures_.top().station;
    Flow& flow = flows_[static_cast<std::size_t>(f)];
    serve(flow, now);
    const TagHeap::Entry first = flow.tasks.front();
    flow.tasks.pop();
    flow.service = std::max(flow.service, first.key);  // rounding must not leave it short of the tag it just served
    usable_ -= within_ == Discipline::kSharing || flow.tasks.empty() ? 1 : 0;
    --present_;
    if (flow.tasks.empty()) leave(f);
    if (present_ == 0) backlog_ = 0;
    settle(now, f);
    return first.task;
}

void FlowStation::leave(std::int32_t f) {
    Flow& flow = flows_[static_cast<std::size_t>(f)];
    flow.rate = flow.service = flow.backlog = flow.tail = 0;
    active_[flow.place] = active_.back();
    flows_[static_cast<std::size_t>(active_.back())].place = flow.place;
    active_.pop_back();
    departures_.set(f, kNever);
}

std::vector<TaskId> FlowStation::evict(Time now) {
    advance(now);
    std::vector<TaskId> gone;
    gone.reserve(static_cast<std::size_t>(present_));
    while (!active_.empty()) {
        const std::int32_t f = active_.back();
        flows_[static_cast<std::size_t>(f)].tasks.drain(gone);
        leave(f);
    }
    present_ = usable_ = 0;
    backlog_ = 0;
    ample_ = true;
    return gone;
}

}  // namespace tiertwin::plant
