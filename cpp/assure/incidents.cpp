#include "assure/incidents.hpp"

#include <algorithm>
#include <string>

#include "assure/checks.hpp"
#include "base/error.hpp"

namespace tiertwin::assure {
namespace {

constexpr index_t kMostRecords = 1'000'000'000, kWorst = 5;

std::vector<std::vector<index_t>> both_ways(index_t objects, std::span<const index_t> start,
                                            std::span<const index_t> related) {
    std::vector<std::vector<index_t>> rows(static_cast<std::size_t>(objects));
    for (index_t object = 0; object < objects; ++object) {
        const auto from = static_cast<std::size_t>(start[static_cast<std::size_t>(object)]);
        const auto to = static_cast<std::size_t>(start[static_cast<std::size_t>(object) + 1]);
        for (const index_t other : related.subspan(from, to - from)) {
            if (other == object) continue;
            rows[static_cast<std::size_t>(object)].push_back(other);
            rows[static_cast<std::size_t>(other)].push_back(object);
        }
    }
    for (auto& row : rows) {
        std::ranges::sort(row);
        row.erase(std::unique(row.begin(), row.end()), row.end());
    }
    return rows;
}

void check_related(index_t objects, std::span<const index_t> start, std::span<const index_t> related) {
    bool good = start.size() == static_cast<std::size_t>(objects) + 1 && start.front() == 0 &&
                start.back() == static_cast<index_t>(related.size()) && std::ranges::is_sorted(start);
    good = good && std::ranges::all_of(related, [&](index_t o) { return o >= 0 && o < objects; });
    if (!good)
        throw InvalidArgument("start, related: expected a CSR of " + std::to_string(objects) +
                              " rows (start rising from 0 to the length of related) with objects 0 … " +
                              std::to_string(objects - 1));
}

}  // namespace

IncidentLog::IncidentLog(index_t objects, index_t causes, std::span<const index_t> start,
                         std::span<const index_t> related, const IncidentOptions& options)
    : objects_(objects), causes_(causes), options_(options) {
    expect_at_least("objects", objects, 1);
    expect_at_least("causes", causes, 1);
    expect_at_least("window", options.window, 1);
    expect_at_least("keep", options.keep, 0);
    if (objects > kMostRecords / causes)
        throw InvalidArgument("objects × causes: expected at most 1e9 pairs, got " + std::to_string(objects) + " × " +
                              std::to_string(causes));
    check_related(objects, start, related);
    start_.push_back(0);
    for (const auto& row : both_ways(objects, start, related)) {
        related_.insert(related_.end(), row.begin(), row.end());
        start_.push_back(static_cast<index_t>(related_.size()));
    }
    records_.resize(static_cast<std::size_t>(objects * causes));
    incident_of_.assign(records_.size(), -1);
}

void IncidentLog::check(const AlarmEvents& events) const {
    const std::size_t size = events.time.size();
    if (events.object.size() != size || events.cause.size() != size || events.severity.size() != size)
        throw InvalidArgument("events: expected columns of one length, got " + std::to_string(size) + " times, " +
                              std::to_string(events.object.size()) + " objects, " +
                              std::to_string(events.cause.size()) + " causes, " +
                              std::to_string(events.severity.size()) + " severities");
    Time newest = now_;
    for (std::size_t k = 0; k < size; ++k) {
        const auto expect = [&](const char* name, index_t value, index_t most) {
            if (value >= 0 && value <= most) return;
            throw InvalidArgument(std::string(name) + ": expected 0 … " + std::to_string(most) + ", got " +
                                  std::to_string(value) + " in event " + std::to_string(k) +
                                  "; nothing of this call was taken");
        };
        expect("object", events.object[k], objects_ - 1);
        expect("cause", events.cause[k], causes_ - 1);
        expect("severity", events.severity[k], kWorst);
        if (events.time[k] < newest)
            throw InvalidArgument("time: expected events in order of time, got " + std::to_string(events.time[k]) +
                                  " ns in event " + std::to_string(k) + " after " + std::to_string(newest) +
                                  " ns; sort them before; nothing of this call was taken");
        newest = events.time[k];
    }
}

void IncidentLog::push(const AlarmEvents& events) {
    check(events);
    for (std::size_t k = 0; k < events.time.size(); ++k) {
        advance(events.time[k]);
        take_event(events.time[k], events.object[k], events.cause[k], events.severity[k]);
    }
}

void IncidentLog::advance(Time now) {
    if (now < now_)
        throw InvalidArgument("now: expected at least " + std::to_string(now_) + " ns, got " + std::to_string(now));
    now_ = now;
    std::int32_t at = oldest_;
    while (at >= 0 && now - incidents_[static_cast<std::size_t>(at)].changed > options_.window) {
        const std::int32_t next = incidents_[static_cast<std::size_t>(at)].newer;
        // one with a raised alarm stays, out of the list: nothing but an event of its own can change it
        if (incidents_[static_cast<std::size_t>(at)].raised == 0)
            close(at);
        else
            unlink(at);
        at = next;
    }
}

void IncidentLog::take_event(Time time, index_t object, index_t cause, index_t severity) {
    ++totals_.events;
    const auto place = static_cast<Place>(object * causes_ + cause);
    Record& record = records_[static_cast<std::size_t>(place)];
    const bool known = incident_of_[static_cast<std::size_t>(place)] >= 0;
    const bool raised = known && record.alarm.cleared < 0;
    if (severity == 0) {
        if (raised)
            clear(record, time);
        else
            ++totals_.strays;
    } else if (raised) {
        repeat(record, time, severity);
    } else if (known && time - record.alarm.cleared <= options_.window) {
        record.alarm.cleared = -1;
        ++incidents_[static_cast<std::size_t>(incident_of_[static_cast<std::size_t>(place)])].raised;
        ++totals_.raised;
        repeat(record, time, severity);
    } else {
        raise(place, time, severity);
    }
}

void IncidentLog::clear(Record& record, Time time) {
    ++totals_.clears;
    --totals_.raised;
    record.alarm.cleared = record.alarm.changed = time;
    const auto place = static_cast<std::size_t>(record.alarm.object * causes_ + record.alarm.cause);
    const std::int32_t incident = incident_of_[place];
    --incidents_[static_cast<std::size_t>(incident)].raised;
    touch(incident, time);
}

void IncidentLog::repeat(Record& record, Time time, index_t severity) {
    ++totals_.repeats;
    ++record.alarm.events;
    record.alarm.changed = time;
    record.alarm.severity = std::max(record.alarm.severity, severity);
    touch(incident_of_[static_cast<std::size_t>(record.alarm.object * causes_ + record.alarm.cause)], time);
}

void IncidentLog::raise(Place place, Time time, index_t severity) {
    if (incident_of_[static_cast<std::size_t>(place)] >= 0) detach(place);  // cleared long ago, its incident still open
    const index_t object = place / causes_;
    std::int32_t incident = incident_near(object, time);
    if (incident < 0) incident = fresh_incident();
    Record& record = records_[static_cast<std::size_t>(place)];
    record.alarm = {totals_.alarms++, -1, object, place % causes_, severity, time, time, -1, 1, false, false};
    append(incident, place);
    ++incidents_[static_cast<std::size_t>(incident)].raised;
    ++totals_.raised;
    touch(incident, time);
}

index_t IncidentLog::memory_bytes() const {
    return static_cast<index_t>(sizeof(Record) * records_.capacity() + 4 * incident_of_.capacity() +
                                sizeof(Incident) * incidents_.capacity() + 4 * free_.capacity() +
                                8 * (start_.capacity() + related_.capacity())) +
           static_cast<index_t>(sizeof(AlarmRecord)) * closed_alarms_;
}

}  // namespace tiertwin::assure
