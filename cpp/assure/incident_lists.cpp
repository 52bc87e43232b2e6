// The lists within an IncidentLog: alarms of an incident, incidents by their last change, merging and closing.
#include <algorithm>
#include <utility>

#include "assure/incidents.hpp"

namespace tiertwin::assure {

std::int32_t IncidentLog::incident_near(index_t object, Time time) {
    std::int32_t found = -1;
    const auto look = [&](index_t at) {
        for (index_t cause = 0; cause < causes_; ++cause) {
            const auto place = static_cast<std::size_t>(at * causes_ + cause);
            const std::int32_t incident = incident_of_[place];
            if (incident < 0 || incident == found || time - records_[place].alarm.changed > options_.window) continue;
            found = found < 0 ? incident : merged(found, incident);
        }
    };
    look(object);
    const auto from = static_cast<std::size_t>(start_[static_cast<std::size_t>(object)]);
    const auto to = static_cast<std::size_t>(start_[static_cast<std::size_t>(object) + 1]);
    for (std::size_t k = from; k < to; ++k) look(related_[k]);
    return found;
}

std::int32_t IncidentLog::fresh_incident() {
    std::int32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::int32_t>(incidents_.size());
        incidents_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    incidents_[static_cast<std::size_t>(slot)] = {};
    incidents_[static_cast<std::size_t>(slot)].number = totals_.incidents++;
    incidents_[static_cast<std::size_t>(slot)].changed = std::numeric_limits<Time>::min();
    ++totals_.open;
    return slot;
}

// The larger keeps its slot, the older its number.
std::int32_t IncidentLog::merged(std::int32_t one, std::int32_t other) {
    if (incidents_[static_cast<std::size_t>(one)].size < incidents_[static_cast<std::size_t>(other)].size)
        std::swap(one, other);
    Incident &kept = incidents_[static_cast<std::size_t>(one)], &gone = incidents_[static_cast<std::size_t>(other)];
    const Time changed = std::max(kept.changed, gone.changed);
    kept.number = std::min(kept.number, gone.number);
    kept.raised += gone.raised;
    for (Place place = gone.first; place >= 0;) {
        const Place next = records_[static_cast<std::size_t>(place)].next;
        append(one, place);
        place = next;
    }
    unlink(other);
    gone = {};
    free_.push_back(other);
    --totals_.open;
    ++totals_.merged;
    touch(one, changed);
    return one;
}

void IncidentLog::append(std::int32_t incident, Place place) {
    Incident& into = incidents_[static_cast<std::size_t>(incident)];
    records_[static_cast<std::size_t>(place)].next = -1;
    records_[static_cast<std::size_t>(place)].before = into.last;
    if (into.last >= 0)
        records_[static_cast<std::size_t>(into.last)].next = place;
    else
        into.first = place;
    into.last = place;
    ++into.size;
    incident_of_[static_cast<std::size_t>(place)] = incident;
}

// A cleared alarm leaves an open incident because its pair is raised anew: it is handed out as closed by itself.
void IncidentLog::detach(Place place) {
    Incident& from = incidents_[static_cast<std::size_t>(incident_of_[static_cast<std::size_t>(place)])];
    const Record& record = records_[static_cast<std::size_t>(place)];
    if (record.before >= 0)
        records_[static_cast<std::size_t>(record.before)].next = record.next;
    else
        from.first = record.next;
    if (record.next >= 0)
        records_[static_cast<std::size_t>(record.next)].before = record.before;
    else
        from.last = record.before;
    --from.size;
    AlarmRecord alarm = record.alarm;
    alarm.incident = from.number;
    alarm.left = true;
    hand_out({alarm});
    incident_of_[static_cast<std::size_t>(place)] = -1;
}

void IncidentLog::touch(std::int32_t incident, Time time) {
    unlink(incident);
    Incident& moved = incidents_[static_cast<std::size_t>(incident)];
    moved.changed = std::max(moved.changed, time);
    moved.older = newest_;
    if (newest_ >= 0)
        incidents_[static_cast<std::size_t>(newest_)].newer = incident;
    else
        oldest_ = incident;
    newest_ = incident;
}

void IncidentLog::unlink(std::int32_t incident) {
    Incident& gone = incidents_[static_cast<std::size_t>(incident)];
    if (gone.older >= 0) incidents_[static_cast<std::size_t>(gone.older)].newer = gone.newer;
    if (gone.newer >= 0) incidents_[static_cast<std::size_t>(gone.newer)].older = gone.older;
    if (oldest_ == incident) oldest_ = gone.newer;
    if (newest_ == incident) newest_ = gone.older;
    gone.older = gone.newer = -1;
}

void IncidentLog::close(std::int32_t incident) {
    Incident& closing = incidents_[static_cast<std::size_t>(incident)];
    hand_out(alarms_of(closing));
    for (Place place = closing.first; place >= 0; place = records_[static_cast<std::size_t>(place)].next)
        incident_of_[static_cast<std::size_t>(place)] = -1;
    unlink(incident);
    closing = {};
    free_.push_back(incident);
    --totals_.open;
    ++totals_.closed;
}

void IncidentLog::hand_out(std::vector<AlarmRecord> alarms) {
    if (alarms.empty()) return;
    closed_alarms_ += static_cast<index_t>(alarms.size());
    closed_.push_back(std::move(alarms));
    while (closed_alarms_ > options_.keep && !closed_.empty()) {
        closed_alarms_ -= static_cast<index_t>(closed_.front().size());
        closed_.pop_front();
        ++totals_.dropped;
    }
}

std::vector<AlarmRecord> IncidentLog::alarms_of(const Incident& incident) const {
    std::vector<AlarmRecord> alarms;
    alarms.reserve(static_cast<std::size_t>(incident.size));
    for (Place place = incident.first; place >= 0; place = records_[static_cast<std::size_t>(place)].next) {
        alarms.push_back(records_[static_cast<std::size_t>(place)].alarm);
        alarms.back().incident = incident.number;
    }
    std::ranges::sort(alarms, {}, &AlarmRecord::number);
    if (alarms.empty()) return alarms;
    const Time first = alarms.front().raised;
    const auto early = [&](const AlarmRecord& a) { return a.raised - first <= options_.window / 10; };
    const auto better = [&](const AlarmRecord& a, const AlarmRecord& b) {
        if (early(a) != early(b)) return early(a);
        return a.severity != b.severity ? a.severity > b.severity : a.object < b.object;
    };
    std::ranges::min_element(alarms, better)->root = true;
    return alarms;
}

std::vector<AlarmRecord> IncidentLog::open() const {
    std::vector<const Incident*> incidents;
    for (const Incident& incident : incidents_)
        if (incident.number >= 0) incidents.push_back(&incident);
    std::ranges::sort(incidents, {}, &Incident::number);
    std::vector<AlarmRecord> alarms;
    for (const Incident* incident : incidents) {
        const auto some = alarms_of(*incident);
        alarms.insert(alarms.end(), some.begin(), some.end());
    }
    return alarms;
}

std::vector<AlarmRecord> IncidentLog::take() {
    std::vector<AlarmRecord> alarms;
    for (const auto& incident : closed_) alarms.insert(alarms.end(), incident.begin(), incident.end());
    closed_.clear();
    closed_alarms_ = 0;
    return alarms;
}

}  // namespace tiertwin::assure
