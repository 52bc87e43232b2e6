// Watches and incidents: each case states its rule first.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "assure/changes.hpp"
#include "assure/checks.hpp"
#include "assure/incidents.hpp"
#include "assure/pattern.hpp"
#include "assure/shift.hpp"
#include "assure/stream.hpp"
#include "assure/subspace.hpp"
#include "assure/tail.hpp"
#include "base/error.hpp"
#include "draw.hpp"

namespace assure_test {

using namespace tiertwin;
using namespace tiertwin::assure;
using tiertwin::tests::Draw;

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Events {
    std::vector<Time> time;
    std::vector<index_t> object, cause, severity;
    void add(Time t, index_t o, index_t c, index_t s) {
        time.push_back(t);
        object.push_back(o);
        cause.push_back(c);
        severity.push_back(s);
    }
    [[nodiscard]] AlarmEvents view() const { return {time, object, cause, severity}; }
};

IncidentLog line(index_t objects, Time window) {  // object k is related to k + 1
    std::vector<index_t> start, related;
    for (index_t k = 0; k < objects; ++k) {
        start.push_back(k);
        if (k + 1 < objects) related.push_back(k + 1);
    }
    start.push_back(objects - 1);
    return {objects, 2, start, related, {window, 1000}};
}

}  // namespace

TEST_CASE("an exponential tail is found: rareness grows by one for each factor of ten") {
    Draw draw;
    TailOptions options;
    options.memory = 1e9;
    options.clip = 1e9;
    Tail tail;
    for (int k = 0; k < 200'000; ++k) tail.learn(-std::log(1.0 - draw()), 1.0, k, options);
    for (const double p : {1e-3, 1e-5, 1e-7})
        CHECK(tail.rare(-std::log(p), 2e5, options) == doctest::Approx(-std::log10(p)).epsilon(0.12));
}

TEST_CASE("until five values lay beyond the threshold, only a record is rare, by its rank") {
    TailOptions options;
    Tail tail;
    for (int k = 0; k < 99; ++k) tail.learn(0.0, 0.0, k, options);
    CHECK(tail.rare(1.0, 99.0, options) == doctest::Approx(2.0));
    CHECK(tail.rare(0.0, 99.0, options) == 0.0);
}

TEST_CASE("a chi-squared tail is the closed form") {
    CHECK(rarity_of_chi2(13.276704135987624, 4) == doctest::Approx(2.0));  // its 99th percentile
    CHECK(rarity_of_chi2(18.466826952903173, 4) == doctest::Approx(3.0));
    CHECK(rarity_of_chi2(0.0, 4) == 0.0);
    CHECK(std::isinf(rarity_of_chi2(INFINITY, 4)));
}

TEST_CASE("a mix of values is new once, then known; single values may all be known") {
    const PatternOptions options{20, 5, 10, 40, 1e-5, 5.0};
    Pattern pattern(options);
    Draw draw;
    index_t first = 0, second = 0;
    for (int k = 0; k < 600; ++k) first += pattern.push(draw(), options) > 0.0 ? 1 : 0;
    const auto stuck = [&] {
        index_t told = 0;
        for (int k = 0; k < 40; ++k) told += pattern.push(0.5, options) > 0.0 ? 1 : 0;
        for (int k = 0; k < 40; ++k) (void)pattern.push(draw(), options);
        return told;
    };
    CHECK(stuck() > 0);
    for (int k = 0; k < 5; ++k) second = stuck();
    CHECK(second == 0);
}

TEST_CASE("quantiles are interpolated") {
    std::vector<double> values{4.0, 1.0, 3.0, 2.0};
    CHECK(quantile_of(values, 0.5) == doctest::Approx(2.5));
    CHECK(quantile_of(values, 1.0) == 4.0);
}

TEST_CASE("a refused call takes nothing: not its good rows, not its time") {
    StreamWatch one(1, {}), other(1, {});
    std::vector<double> score(2), alarm(2), good{1.0, 2.0}, bad{1.0, INFINITY}, times{5.0, 6.0}, back{6.0, 5.0};
    CHECK_THROWS_AS(one.push(bad, times, score, alarm), InvalidArgument);
    CHECK_THROWS_AS(one.push(good, back, score, alarm), InvalidArgument);
    one.push(good, std::vector{1.0, 2.0}, score, alarm);
    CHECK(one.memory_bytes() == other.memory_bytes());
}

TEST_CASE("a silent sensor stays as it was judged") {
    ShiftWatch watch(1, {});
    Draw draw;
    std::vector<double> z(1);
    for (int k = 0; k < 450; ++k) watch.push(std::vector{draw()}, z);
    for (int k = 0; k < 20; ++k) watch.push(std::vector{9.0}, z);
    CHECK(z[0] > 1.5);
    const double before = z[0];
    watch.push(std::vector{kNone}, z);
    CHECK(z[0] == before);
}

TEST_CASE("longest runs are merged: memory stays, and a change is still found") {
    ChangePoints watch(1, {100.0, 50, 20, 3});
    Draw draw;
    std::vector<double> recent(1);
    std::vector<index_t> length(1);
    bool found = false;
    const index_t before = watch.memory_bytes();
    for (int k = 0; k < 400; ++k) {
        watch.push(std::vector{draw() + (k < 300 ? 0.0 : 5.0)}, recent, length);
        CHECK(length[0] < 50);
        if (k >= 300 && k < 304) found = found || recent[0] > 0.5;
    }
    CHECK(found);
    CHECK(watch.memory_bytes() == before);
}

TEST_CASE("a subspace of all attributes has no residual") {
    SubspaceWatch watch(2, {50, 1, 1.0, 0.99});
    Draw draw;
    std::vector<double> t2(1), q(1);
    for (int k = 0; k < 60; ++k) watch.push(std::vector{draw(), draw()}, t2, q);
    CHECK(watch.components() == 2);
    watch.push(std::vector{30.0, -30.0}, t2, q);
    CHECK(t2[0] > 10.0);
    CHECK(q[0] < 1.0);
}

TEST_CASE("alarms along a line in time are one incident; a gap in place or time makes two") {
    Events events;
    for (index_t k : {0, 2, 4}) events.add(k, k, 0, 3);
    IncidentLog log = line(6, 10);
    log.push(events.view());
    CHECK(log.totals().open == 3);
    Events bridge;
    bridge.add(5, 1, 0, 5);
    bridge.add(6, 3, 1, 5);
    log.push(bridge.view());
    CHECK(log.totals().open == 1);
    CHECK(log.totals().merged == 2);
    const auto alarms = log.open();
    REQUIRE(alarms.size() == 5);
    for (const AlarmRecord& alarm : alarms) CHECK(alarm.incident == 0);
    Events late;
    late.add(17, 0, 1, 1);
    log.push(late.view());
    CHECK(log.totals().open == 2);
}

TEST_CASE("flapping within the window is one alarm, after it a new one") {
    IncidentLog log = line(2, 10);
    Events events;
    events.add(0, 0, 0, 2);
    events.add(1, 0, 0, 0);
    events.add(5, 0, 0, 4);
    events.add(6, 0, 0, 0);
    events.add(30, 0, 0, 1);
    log.push(events.view());
    CHECK(log.totals().alarms == 2);
    const auto closed = log.take();
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].severity == 4);
    CHECK(closed[0].events == 2);
    CHECK(closed[0].cleared == 6);
    CHECK(closed[0].root);
}

}  // namespace assure_test
