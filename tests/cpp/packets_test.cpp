#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/random.hpp"
#include "plant/packet_delays.hpp"
#include "plant/packet_events.hpp"
#include "plant/packet_network.hpp"

namespace packets_test {

using namespace tiertwin;
using namespace tiertwin::plant;

namespace {

// Two flows over one link of 8 Mb/s (1 us a byte) and 5 us; flow 1 goes on over a second one alike.
PacketConfig two_flows(std::int64_t buffer) {
    PacketConfig c;
    c.link_rate_bps = {8'000'000, 8'000'000};
    c.link_delay_ns = {5'000, 5'000};
    c.link_buffer = {buffer, buffer};
    c.path_ptr = {0, 1, 3};
    c.path_links = {0, 0, 1};
    c.flow_key = {0, 1};
    c.flow_arrival = {3, 3};
    c.flow_phase_ns = {0, 0};
    c.flow_pps = c.flow_on_s = c.flow_off_s = {0.0, 0.0};
    c.flow_size = c.flow_bytes = {0, 0};
    c.stop_ns = kSecond;
    c.record = true;
    c.most_packets = 1000;
    return c;
}

void add(PacketConfig& c, Time time, std::int64_t flow, std::int64_t bytes) {
    c.trace_time_ns.push_back(time);
    c.trace_flow.push_back(flow);
    c.trace_bytes.push_back(bytes);
}

std::vector<Time> delays(PacketNetwork& network) {
    network.run_to_end();
    std::vector<Time> found;
    for (const PacketRecord& record : network.records()) found.push_back(record.delay);
    return found;
}

}  // namespace

TEST_CASE("packets: events come by time, then in order of scheduling, one a station") {
    constexpr std::size_t kStations = 37;
    PacketEvents events(kStations);
    std::vector<PacketEvent> next(kStations);
    Stream draw(1, 2, 3);
    CHECK(events.top().never());
    for (std::uint64_t order = 0; order < 5000; ++order) {
        const std::size_t station = draw.below(kStations);
        next[station] =
            draw.below(3) == 0 ? PacketEvent{} : PacketEvent{draw.below(20), PacketEvent::make_tag(order, station)};
        events.set(station, next[station]);
        const auto first = *std::min_element(next.begin(), next.end(), [](const PacketEvent& a, const PacketEvent& b) {
            return a.time != b.time ? a.time < b.time : a.tag < b.tag;
        });
        REQUIRE(events.top().time == first.time);
        REQUIRE(events.top().tag == first.tag);
        if (!first.never()) REQUIRE(next[first.station()].tag == first.tag);
    }
}

TEST_CASE("packets: transmission times are rounded half up") {
    CHECK(PacketLink(1'000'000'000, 0, 1).transmission(1000) == 8'000);
    CHECK(PacketLink(3'000'000'000, 0, 1).transmission(1000) == 2'667);  // 2666.67
    CHECK(PacketLink(16'000'000'000, 0, 1).transmission(1) == 1);        // 0.5
    CHECK(PacketLink(16'000'000'001, 0, 1).transmission(1) == 0);
    CHECK(PacketLink(1, 0, 1).transmission(9000) == 72'000 * kSecond);
}

TEST_CASE("packets: one waits for the other, size by size, and goes on") {
    PacketConfig c = two_flows(kNoLimit);
    add(c, 0, 0, 100);
    add(c, 10'000, 1, 50);
    PacketNetwork network(c);
    CHECK(delays(network) == std::vector<Time>{105'000, 100'000 - 10'000 + 50'000 + 5'000 + 55'000});
    CHECK(network.packet_hops() == 3);
    CHECK(network.links()[0].peak() == 1);
    CHECK(network.links()[0].busy(network.now()) == 150'000);
    CHECK(network.ended());
}

TEST_CASE("packets: buffer packets wait besides the one that is sent; who finds them full is lost") {
    PacketConfig c = two_flows(1);
    for (Time time : {0, 1, 2}) add(c, time, 0, 100);
    PacketNetwork network(c);
    CHECK(delays(network) == std::vector<Time>{105'000, 204'999, PacketRecord::kLost});
    CHECK(network.links()[0].dropped() == 1);
    CHECK(network.flows()[0].sent == 3);
    CHECK(network.flows()[0].received == 2);
    CHECK(network.flows()[0].lost == 1);
}

TEST_CASE("packets: at the nanosecond of an end, what was scheduled first comes first") {
    // The source scheduled its second packet after the first had begun, so the transmission ends first: there is room.
    PacketConfig c = two_flows(0);
    add(c, 0, 0, 100);
    add(c, 100'000, 0, 100);
    PacketNetwork room(c);
    CHECK(delays(room) == std::vector<Time>{105'000, 105'000});
    // Flow 1's packet was scheduled before the run: it comes before the end, and finds no room.
    c.trace_flow[1] = 1;
    PacketNetwork none(c);
    CHECK(delays(none) == std::vector<Time>{105'000, PacketRecord::kLost});
}

TEST_CASE("packets: quantiles are within 0.4 %, small ones exact") {
    PacketDelays found(2);
    for (Time delay = 1; delay <= 200; ++delay) found.add(0, delay);
    CHECK(found.quantile(0, 0.0) == 1);
    CHECK(found.quantile(0, 0.5) == 100);
    CHECK(found.quantile(0, 1.0) == 200);
    CHECK(found.quantile(1, 0.5) == -1);
    for (Time delay = 1; delay < (Time{1} << 61); delay += delay / 3 + 1) {
        PacketDelays one(1);
        one.add(0, delay);
        CHECK(std::abs(static_cast<double>(one.quantile(0, 0.5) - delay)) <= static_cast<double>(delay) / 256.0);
    }
}

TEST_CASE("packets: who has too many under way stops for good") {
    PacketConfig c = two_flows(kNoLimit);
    c.most_packets = 2;
    for (Time time : {0, 1, 2}) add(c, time, 0, 100);
    PacketNetwork network(c);
    network.run_until(1);
    CHECK_THROWS_AS(network.run_until(2), InvalidArgument);
    CHECK_THROWS_AS(network.run_until(2), InvalidArgument);
    CHECK(network.flows()[0].sent == 2);
}

TEST_CASE("packets: a path must hang together when nodes are given") {
    PacketConfig c = two_flows(1);
    c.link_tail = {0, 1};
    c.link_head = {1, 2};
    CHECK_NOTHROW(c.validate());
    c.link_tail[1] = 3;
    CHECK_THROWS_AS(c.validate(), InvalidArgument);
}

}  // namespace packets_test
