#include "plant/flows.hpp"

#include <algorithm>

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
      full_{0, speed, BasicEventTree<double>(0)},
      level_{0, 0, BasicEventTree<double>(0)} {
    grow(0, flows);
}

// -- weights and speed -----------------------------------------------------------------------------------------------

void FlowStation::grow(Time now, index_t flows) {
    flows_.resize(static_cast<std::size_t>(flows));
    full_.due = level_.due = BasicEventTree<double>(flows);
    weigh(now);
}

void FlowStation::grant(Time now, index_t first, std::span<const double> shares) {
    for (std::size_t i = 0; i < shares.size(); ++i) flows_[static_cast<std::size_t>(first) + i].share = shares[i];
    weigh(now);
}

void FlowStation::set_speed(Time now, double speed) {
    advance(now);
    speed_ = full_.pace = speed;
    settle();
    foresee();
}

void FlowStation::weigh(Time now) {
    advance(now);
    for (const Active& active : active_) serve(flow(active.flow));  // by the weights of before
    const double equal = capacity_ / static_cast<double>(flows_.size());
    weights_ = 0;
    for (Flow& flow : flows_) {
        flow.weight = (flow.share < 0 ? equal : std::min(flow.share, capacity_)) + kFloor * equal;
        weights_ += flow.weight;
    }
    for (Active& active : active_) active.weight = flow(active.flow).weight;
    settle();
    for (const Active& active : active_) plan(active);
    foresee();
}

// The common factor of the weights while servers are short. Newton's method on sum of min(u, level * w) = servers,
// which is concave in the level: from anywhere the first step lands below the solution, and from there flows only drop
// out because they have enough. The last level is nearly always right about who they are.
double FlowStation::level() const {
    double level = level_.pace / speed_;
    for (std::ptrdiff_t step = 0, before = -1;; ++step) {
        std::ptrdiff_t dropped = 0;
        double left = servers_, weights = 0;
        for (const Active& active : active_) {
            const bool enough = active.usable <= level * active.weight;
            left -= enough ? active.usable : 0.0;
            weights += enough ? 0.0 : active.weight;
            dropped += enough ? 1 : 0;
        }
        // Sets of flows are nested in the level: the same number is the same flows. Fewer than before: rounding.
        if (dropped == before || (step > 1 && dropped < before)) return level;
        if (weights == 0.0) {
            if (step > 0) return level;  // rounding: there is just enough for all
            level = 0;                   // far too high: from below
            continue;
        }
        level = left / weights;
        before = dropped;
    }
}

void FlowStation::settle() {
    if (static_cast<double>(usable_) > servers_) {
        const double level = this->level();
        level_.pace = speed_ * level;
        for (Active& active : active_) move(active, active.usable > level * active.weight);
    } else if (sharing_ > 0) {
        for (Active& active : active_) move(active, false);
    }
    if (sharing_ == 0) level_.reading = 0;
}

void FlowStation::foresee() {
    const Time level = level_.next(last_), full = full_.next(last_);
    next_sharing_ = level < full;
    next_ = std::min(level, full);
}

void FlowStation::move(Active& active, bool sharing) {
    if (active.sharing == sharing) return;
    serve(flow(active.flow));
    clock(active).due.set(active.flow, BasicEventTree<double>::kEmpty);
    active.sharing = sharing;
    sharing_ += sharing ? 1 : -1;
    flow(active.flow).since = clock(active).reading;
    plan(active);
}

// -- service ---------------------------------------------------------------------------------------------------------

double FlowStation::gain(const Active& active) const {
    return active.sharing ? active.weight / (within_ == Discipline::kSharing ? active.usable : 1.0) : 1.0;
}

void FlowStation::advance(Time now) {
    const double elapsed_s = static_cast<double>(now - last_) * 1e-9;
    last_ = now;
    if (present_ == 0) return;
    const double busy = busy_servers();
    busy_s_ += busy * elapsed_s;
    backlog_ -= speed_ * busy * elapsed_s;
    full_.reading += full_.pace * elapsed_s;
    if (sharing_ > 0) level_.reading += level_.pace * elapsed_s;
}

// Brings a flow with tasks up to its clock.
void FlowStation::serve(Flow& flow) {
    const Active& active = active_[flow.place];
    const double reading = clock(active).reading, service = (reading - flow.since) * gain(active);
    flow.since = reading;
    flow.service += service;
    flow.backlog -= service * active.usable;
}

// Requires that its flow was served.
void FlowStation::plan(const Active& active) {
    const Flow& served = flow(active.flow);
    Clock& by = clock(active);
    by.due.set(active.flow, by.reading + std::max(0.0, served.tasks.front().key - served.service) / gain(active));
}

// -- tasks -----------------------------------------------------------------------------------------------------------

bool FlowStation::overfull(const Flow& flow) const {
    const double work = buffer_s_ * servers_ * speed_;
    return backlog_ > work && flow.backlog > work * (flow.weight / weights_);
}

bool FlowStation::join(Time now, TaskId task, double work, index_t f) {
    advance(now);
    Flow& joined = flow(f);
    const bool first = joined.tasks.empty();
    if (!first) serve(joined);
    if (!up_ || overfull(joined)) return false;
    if (first) enter(static_cast<std::int32_t>(f));
    backlog_ += work;
    joined.backlog += work;
    joined.tail = (within_ == Discipline::kSharing ? joined.service : std::max(joined.service, joined.tail)) + work;
    joined.tasks.push({joined.tail, joins_++, task});
    ++present_;
    if (first || within_ == Discipline::kSharing) {
        ++usable_;
        active_[joined.place].usable += 1.0;
    }
    settle();
    plan(active_[joined.place]);
    foresee();
    return true;
}

TaskId FlowStation::depart(Time now) {
    const std::int32_t f = (next_sharing_ ? level_ : full_).due.top().station;
    advance(now);
    Flow& left = flow(f);
    serve(left);
    const TagHeap::Entry first = left.tasks.front();
    left.tasks.pop();
    left.service = std::max(left.service, first.key);  // rounding must not leave it short of the tag it just served
    --present_;
    const bool last = left.tasks.empty();
    if (last || within_ == Discipline::kSharing) {
        --usable_;
        active_[left.place].usable -= 1.0;
    }
    if (last) leave(f);
    if (present_ == 0) backlog_ = full_.reading = 0;
    settle();
    if (!last) plan(active_[left.place]);
    foresee();
    return first.task;
}

void FlowStation::enter(std::int32_t f) {
    Flow& entered = flow(f);
    entered.place = active_.size();
    entered.since = full_.reading;
    active_.push_back({entered.weight, 0.0, f, false});
}

void FlowStation::leave(std::int32_t f) {
    Flow& left = flow(f);
    const Active& gone = active_[left.place];
    clock(gone).due.set(f, BasicEventTree<double>::kEmpty);
    sharing_ -= gone.sharing ? 1 : 0;
    left.service = left.backlog = left.tail = 0;
    active_[left.place] = active_.back();
    flow(active_.back().flow).place = left.place;
    active_.pop_back();
}

std::vector<TaskId> FlowStation::evict(Time now) {
    advance(now);
    std::vector<TaskId> gone;
    gone.reserve(static_cast<std::size_t>(present_));
    while (!active_.empty()) {
        const std::int32_t f = active_.back().flow;
        flow(f).tasks.drain(gone);
        leave(f);
    }
    present_ = usable_ = 0;
    backlog_ = full_.reading = level_.reading = 0;
    next_ = kNever;
    return gone;
}

}  // namespace tiertwin::plant
