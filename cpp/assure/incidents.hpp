// Alarms in, incidents out: repeats become one alarm, alarms that belong together by place and time one incident.
//
// An *alarm* is a pair of object and cause that is raised until it is cleared. An event of a pair that is raised
// already is a repeat: it is counted, its severity kept if worse. A pair raised again within `window` after it was
// cleared, in an incident that is still open, is the same alarm again (flapping); later it is a new one.
//
// A new alarm joins every open incident that has a raised or just cleared alarm, changed within `window` of it, at the
// same object or at one *related* to it (rows of a CSR given by the caller: links of a node, nodes of a site, servers
// of a service; taken in both directions). Several incidents so joined become one: the oldest lives on. Otherwise it
// begins an incident. Incidents are the connected components of alarms under "related and within `window`".
//
// An incident closes when all its alarms are cleared and `window` has passed since its last change; then it is handed
// out once, with its alarms. A cleared alarm whose pair is raised anew after `window` leaves an incident that is still
// open and is handed out at once, with the number the incident then has (a later merge may give it an older one). The
// root is a first guess: the worst of the alarms raised first (within `window` / 10 of the first), the lowest object
// among equals; a localiser that knows the dependencies does better.
//
// Source    The life of an alarm follows 3GPP TS 28.111 (alarmRaisedTime, alarmChangedTime, alarmClearedTime,
//           correlatedNotifications, rootCauseIndicator). The correlation is ours.
// Bounded   one record a pair, made at the start: 92 bytes × objects × causes. Closed incidents wait in a list for
//           `take`: at most `keep` alarms, the oldest incidents fall out and are counted in `dropped`.
// Clock     events come in order of time, from 0 on: one that goes backwards is an InvalidArgument, nothing of the call
// is taken. Costs     a repeat 10 ns; a new alarm (1 + related) × causes; a merge relabels the smaller: O(log) each in
// all. Thread    one thread owns it.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::assure {

struct IncidentOptions {
    Time window = 60 * kSecond;
    index_t keep = 1'000'000;
};

// Columns of one length. severity 0: cleared; 1 … 5: indeterminate, warning, minor, major, critical.
struct AlarmEvents {
    std::span<const Time> time;
    std::span<const index_t> object, cause, severity;
};

struct AlarmRecord {
    index_t number = -1, incident = -1;  // alarm numbers rise with each alarm raised
    index_t object = -1, cause = -1, severity = 0;
    Time raised = 0, changed = 0, cleared = -1;  // -1: still raised
    index_t events = 0;
    bool root = false, left = false;  // left: handed out alone, as its pair was raised anew
};

struct IncidentTotals {
    index_t events = 0, alarms = 0, repeats = 0, clears = 0, strays = 0;  // stray: a clear of what was not raised
    index_t incidents = 0, merged = 0, closed = 0, dropped = 0, open = 0, raised = 0;
};

class IncidentLog {
  public:
    // `start` (objects + 1) and `related`: the CSR. InvalidArgument.
    IncidentLog(index_t objects, index_t causes, std::span<const index_t> start, std::span<const index_t> related,
                const IncidentOptions& options);

    void push(const AlarmEvents& events);
    void advance(Time now);  // closes what has been quiet by now

    // Alarms of the open incidents, by incident and then number; the root of each marked.
    [[nodiscard]] std::vector<AlarmRecord> open() const;
    // Alarms of the incidents closed since the last call, oldest first.
    [[nodiscard]] std::vector<AlarmRecord> take();
    [[nodiscard]] const IncidentTotals& totals() const { return totals_; }
    [[nodiscard]] index_t memory_bytes() const;

  private:
    using Place = std::int32_t;  // of a record, object × causes + cause; -1: none
    struct Record {
        AlarmRecord alarm;
        Place before = -1, next = -1;  // of the same incident
    };
    struct Incident {
        index_t number = -1;
        Place first = -1, last = -1;
        std::int32_t size = 0, raised = 0;
        Time changed = 0;
        std::int32_t older = -1, newer = -1;  // list of the open ones by last change
    };

    void check(const AlarmEvents& events) const;
    void take_event(Time time, index_t object, index_t cause, index_t severity);
    void clear(Record& record, Time time);
    void raise(Place place, Time time, index_t severity);
    void repeat(Record& record, Time time, index_t severity);
    [[nodiscard]] std::int32_t incident_near(index_t object, Time time);
    [[nodiscard]] std::int32_t fresh_incident();
    [[nodiscard]] std::int32_t merged(std::int32_t one, std::int32_t other);
    void append(std::int32_t incident, Place place);
    void detach(Place place);
    void touch(std::int32_t incident, Time time);
    void unlink(std::int32_t incident);
    void close(std::int32_t incident);
    void hand_out(std::vector<AlarmRecord> alarms);
    [[nodiscard]] std::vector<AlarmRecord> alarms_of(const Incident& incident) const;

    index_t objects_, causes_;
    IncidentOptions options_;
    std::vector<index_t> start_, related_;
    std::vector<Record> records_;
    std::vector<std::int32_t> incident_of_;  // by place, slot of the incident; -1: none
    std::vector<Incident> incidents_;        // slots, reused
    std::vector<std::int32_t> free_;
    std::int32_t oldest_ = -1, newest_ = -1;
    std::deque<std::vector<AlarmRecord>> closed_;
    index_t closed_alarms_ = 0;
    Time now_ = 0;
    IncidentTotals totals_;
};

}  // namespace tiertwin::assure
