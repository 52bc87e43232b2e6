// The plant: a discrete-event simulator of tasks over radio, links and servers. It is the physical side: it holds the
// truth and shows it through telemetry alone; it uses none of the twin's formulas.
//
//   device makes a task -> its set-point draws the tier (the rest is shed) ->
//     device tier   own CPU, one server, first in first out
//     edge          airtime of the site's cells (shared) -> edge server -> done
//     fog, cloud    airtime -> links of the route, store and forward -> server -> done
//   Servers and links are shared by what each site and class was granted (flows.hpp), or without regard to it.
//   The small result's way back is the route's propagation, added to the latency when the server is done with the task.
//   Where devices are users of a radio access network (enable_access, plant_users.hpp), airtime of the site's cells is
//   replaced by packets over the air, and users change their site and ring as they move.
//   Parts may wear, fail and be repaired (wear.hpp), rain may slow microwave links (weather.hpp), base stations may
//   sleep (sleep.hpp), faults may be injected (faults.hpp): only where enabled, see surroundings.hpp.
//
// Modelled: queues, sharing, background traffic, failures, energy a task. Abstracted: radio is a rate a ring times a
// factor of the site's airtime load, the cells of a site are one pool. Not modelled without access: packets, handover,
// downlink load.
//
// Energy of a task, J: transmit_w * airtime (of a whole cell: over the air, blocks taken / blocks a second) + (own CPU)
// kappa ghz^2 gcycles or (server) gcycles * (j_per_gcycle + idle_w / (cores * core_ghz)) + link_j_per_mb * megabits a
// hop: idle power is shared out over a full server's work.
//
// Order      events by (time, kind: departures, arrivals, reports, surroundings; number of the station, device or
//            sender; of surroundings: failures and repairs, measurements, weather, waking sites). The air is the last
//            of the stations: what leaves it finds the links and servers as those left them that go at the same time,
//            and a task made at the end of a step belongs to the next one, in the home its user has then. Same
//            configuration, same calls: bit-identical results, however run_until is cut.
// Time       whole nanoseconds from 0 to 2^53 (104 days).
// Costs      about 0.6 us a task of some five events, and no allocation once queues have seen their longest.
// Thread     one thread owns it.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "plant/arrivals.hpp"
#include "plant/chance.hpp"
#include "plant/config.hpp"
#include "plant/event_tree.hpp"
#include "plant/kpis.hpp"
#include "plant/link.hpp"
#include "plant/plant_users.hpp"
#include "plant/server.hpp"
#include "plant/station.hpp"
#include "plant/surroundings.hpp"
#include "plant/task.hpp"
#include "plant/telemetry.hpp"

namespace tiertwin::plant {

class Plant {
  public:
    explicit Plant(Config config);
    Plant(const Plant&) = delete;  // its parts refer to its configuration
    Plant& operator=(const Plant&) = delete;

    // Everything that happens up to and including `until`. Requires now() <= until <= 2^53.
    void run_until(Time until);
    [[nodiscard]] Time now() const { return now_; }
    [[nodiscard]] const Config& config() const { return config_; }

    // -- what may be set, all from now on ---------------------------------------------------------------------------
    // Shares of the tiers, one row of 4 a device, each >= 0, sum <= 1 (+1e-9); tasks beyond the sum are shed. Nothing
    // is changed when a row is refused.
    void set_shares(std::span<const std::int64_t> device, std::span<const double> shares);
    // What is granted to each class of a site, each >= 0 and finite, from now on, tasks under way included: GHz at the
    // edge server, the fog's and the cloud's (3 rows of C), and Mb/s on the links of the routes site -> fog and fog ->
    // cloud (2 rows of C). Weighted servers and links share by it (flows.hpp), others do not. Nothing is changed when a
    // value is refused.
    void set_site_shares(index_t site, std::span<const double> cpu_ghz, std::span<const double> uplink_mbps);
    // With access: shares of the tiers for whoever is in a group, likewise, one row a group; all local at the start.
    void set_group_shares(std::span<const std::int64_t> group, std::span<const double> shares);
    void set_load(std::span<const double> multiplier);  // by site, >= 0: factor on the classes' task rates
    void set_background(std::span<const double> mbps);  // by directed link, >= 0; cut at 99 % of the capacity
    void set_routes(std::span<const std::int64_t> site_ptr, std::span<const std::int64_t> site_links,
                    std::span<const std::int64_t> fog_ptr, std::span<const std::int64_t> fog_links);
    void fail_link(index_t link);  // directed; the tasks on it are lost, and all that come until it is repaired
    void repair_link(index_t link);
    void fail_server(index_t server);  // likewise
    void repair_server(index_t server);

    // Surroundings, each at most once and before anything happened (InvalidArgument otherwise). Parts of the wear are
    // undirected links and servers (surroundings.hpp); sleep has one kind of base station a site.
    void enable_wear(WearConfig config);
    void enable_weather(WeatherConfig config);
    void enable_sleep(SleepConfig config);
    // Devices become users of a radio access network, in the same order: its cells stand at the plant's sites, its
    // classes are the plant's. Its traffic up is the tasks; what it draws down is its own. Not with sleep, which it has
    // itself. InvalidArgument when the two do not fit together.
    void enable_access(const AccessConfig& config);
    // Faults may be injected and counters are reported (faults.hpp); before anything happened, as above. Each call
    // states what ails one part from now on, whatever else takes it down: nothing at the start.
    void enable_faults();
    void set_link_fault(index_t link, bool down, double capacity, double loss);  // directed; shares (0, 1] and [0, 1]
    void set_server_fault(index_t server, bool down, double speed);              // speed: a share in (0, 1]
    void set_site_fault(index_t site, bool silent, bool deaf);                   // deaf: not with access
    [[nodiscard]] bool has_access() const { return users_ != nullptr; }
    [[nodiscard]] AccessNetwork& access();  // to lead users, fail cells, let them sleep; InvalidArgument without one

    // -- what may be seen --------------------------------------------------------------------------------------------
    [[nodiscard]] Batch<kDeviceAttributes> take_device_reports(Time until);
    [[nodiscard]] Batch<kGroupAttributes> take_group_reports(Time until);          // with access, instead of devices
    [[nodiscard]] Batch<kBaseStationAttributes> take_station_reports(Time until);  // with access; ids are sites
    [[nodiscard]] Batch<kServerAttributes> take_server_reports(Time until);
    [[nodiscard]] Batch<kLinkAttributes> take_link_reports(Time until);
    // Of what is enabled; ids are undirected links and servers.
    [[nodiscard]] Batch<kSensorAttributes> take_link_sensors(Time until);
    [[nodiscard]] Batch<kSensorAttributes> take_server_sensors(Time until);
    [[nodiscard]] Batch<kWeatherAttributes> take_weather_reports(Time until);
    // With faults, beside the reports of links and servers; ids are directed links and servers.
    [[nodiscard]] Batch<kCounterAttributes> take_link_counters(Time until);
    [[nodiscard]] Batch<kCounterAttributes> take_server_counters(Time until);
    [[nodiscard]] Kpis take_kpis();  // since the last call

    // -- truth, for tests and the study harness only -----------------------------------------------------------------
    [[nodiscard]] std::vector<double> truth_device_rates() const;
    [[nodiscard]] std::vector<double> truth_radio_mbps() const;
    [[nodiscard]] std::vector<std::int64_t> truth_device_sites() const;   // where they are at home
    [[nodiscard]] std::vector<std::int64_t> truth_device_groups() const;  // in which they are
    [[nodiscard]] std::vector<std::int64_t> truth_clock_offset_ns() const;
    [[nodiscard]] std::vector<double> truth_background_mbps() const;
    [[nodiscard]] std::vector<std::int64_t> truth_queue_tasks();  // own CPU: waiting and in service
    [[nodiscard]] const Surroundings& truth_surroundings() const { return around_; }

  private:
    struct alignas(64) Device {                        // two cache lines, read once a task
        std::array<std::int64_t, kTiers> threshold{};  // of the 32-bit choice: running sum of the shares
        double ghz = 0;
        Time cpu_free = 0, cpu_assigned = 0;  // when its CPU falls free; work it ever got, in ns
        TaskQueue cpu;
        std::int32_t site = 0, group = 0, service = 0;
        bool unseen = false;  // with access: counted by the KPIs alone
        Counts counts;        // without access
    };
    static_assert(sizeof(Device) == 128);
    struct alignas(32) DeviceClock {  // touched by reports only
        Time offset = 0, last_report = 0, cpu_busy_at_report = 0;
        std::uint64_t key = 0;
    };
    struct Cell {  // airtime load of the last window and the rate factor it gives
        Time window_start = 0;
        double busy_at_start = 0, factor = 1.0;
    };
    struct Hop {
        std::int32_t link = 0, flow = 0;  // flow there of the site's class 0; the other classes follow
    };
    struct Hops {  // a route: range of `hops_`, of which the first ones up to `fog` lead to the fog
        std::int32_t begin = 0, fog = 0, end = 0;
        Time back = 0;
    };

    // Stations by number in the event tree: cells, links, servers, the air.
    [[nodiscard]] std::int32_t link_station(index_t link) const {
        return static_cast<std::int32_t>(config_.sites() + link);
    }
    [[nodiscard]] std::int32_t server_station(index_t server) const {
        return static_cast<std::int32_t>(config_.sites() + config_.links() + server);
    }
    [[nodiscard]] std::int32_t air_station() const { return server_station(config_.servers()); }
    void build_devices();
    void build_network();
    [[nodiscard]] std::vector<index_t> place_flows();

    void depart(std::int32_t station);
    void arrive(const NewTask& arrival);
    void start_local(Device& device, TaskId id);
    void flush_cpu(Device& device);
    void join_cell(TaskId id);
    void set_out(TaskId id);
    void forward(TaskId id);
    void join_server(TaskId id);
    void leave_cell(std::size_t site);
    void leave_link(std::size_t link);
    void leave_server(std::size_t server);
    void complete(TaskId id, Time done);
    void lose(TaskId id);
    [[nodiscard]] std::size_t server_of(std::size_t site, Tier tier) const;
    // Number of the flow of the site's class 0 at its server of that tier.
    [[nodiscard]] std::int32_t flow_at_server(std::size_t site, Tier tier) const {
        return server_flow_[3 * site + static_cast<std::size_t>(tier) - 1];
    }
    [[nodiscard]] const Hops& route(std::size_t site, Tier tier) const {
        return routes_[2 * site + (tier == Tier::kCloud ? 1U : 0U)];
    }
    void refresh_radio(std::size_t site);
    [[nodiscard]] std::int32_t flow_at_link(std::size_t link, std::size_t part);
    void grant_uplink(std::size_t site);

    [[nodiscard]] Counts& counts_of(Device& device) {
        return users_ ? users_->counts(device.group, device.unseen) : device.counts;
    }

    // plant_users.cpp
    void check_access(const AccessConfig& config) const;
    void send_up(TaskId id);
    void air();
    void land(const AirFinished& task);
    void find_homes();
    void find_home(std::size_t user);
    void settle(std::size_t user);
    void report_groups(std::size_t site, std::uint32_t number);
    void report_station(std::size_t site, const Mouth::Fate& fate, std::uint32_t number);
    void add_access(Kpis& taken);

    // plant_faults.cpp
    [[nodiscard]] Faults& faults();
    static bool mark(std::uint8_t& reasons, Reason reason, bool down);  // true: it changed
    [[nodiscard]] bool lost_on_link(std::size_t link);
    [[nodiscard]] Mouth::Fate fate_of(index_t site, std::uint64_t key, Purpose purpose, std::uint32_t number) const;
    void count_link(std::size_t id, const Mouth::Fate& fate, std::uint32_t number);
    void count_server(std::size_t id, const Mouth::Fate& fate);
    void count_served(std::size_t server, const Task& task);

    // plant_around.cpp
    void surroundings();
    void expect_fresh(const char* what, bool there);
    void set_down(bool server, std::size_t id, Reason reason, bool down);
    void settle_link(std::size_t directed);
    void settle_server(std::size_t server);
    void measure_parts();
    void follow_weather();
    void set_capacity(std::size_t directed, double mbps);
    void wake_site();
    void add_kpis(Kpis& taken);
    void start_upload(std::size_t site, TaskId id);

    void report();
    void expect_report(const ReportClock::Turn& turn) const;
    void report_device(std::size_t id, std::uint32_t number);
    void report_server(std::size_t id, std::uint32_t number);
    void report_link(std::size_t id, std::uint32_t number);

    Config config_;
    Chance chance_;
    Time now_ = 0;
    TaskPool pool_;
    EventTree events_;
    Arrivals arrivals_;
    ReportClock reports_;
    Mouth mouth_;
    std::span<const NewTask> batch_;
    std::size_t batch_position_ = 0;

    std::vector<Device> devices_;
    std::vector<DeviceClock> clocks_;
    std::vector<Station> cells_;
    std::vector<Server> servers_;
    std::vector<Cell> radio_;
    std::vector<Link> links_;
    std::vector<Hops> routes_;  // [site][fog, cloud]
    std::vector<Hop> hops_;     // grows when routes change: tasks under way keep the hops they set out with
    std::vector<std::int32_t> server_flow_;             // [site][edge, fog, cloud]
    std::vector<std::vector<std::size_t>> link_flows_;  // by link: whose flows, 2 * site + (0 to the fog, 1 beyond it)
    std::vector<std::vector<double>> uplink_shares_;  // by site: empty until granted, then [to the fog, beyond][class]
    std::vector<double> server_energy_;               // J per Gcycle, idle share included

    Kpis kpis_;
    std::vector<double> server_done_at_kpis_, server_done_at_report_, cell_busy_at_kpis_;
    std::vector<double> link_mb_at_kpis_, link_mb_at_report_, link_background_mb_;
    std::vector<Time> server_reported_, link_reported_;
    Time background_since_ = 0;

    std::unique_ptr<PlantUsers> users_;
    Surroundings around_;
    Time around_next_ = kNever;
    std::vector<std::uint8_t> link_reasons_, server_reasons_;  // why it is down, bits of `Reason`; 0: up
    std::vector<DownTime> link_down_, server_down_;

    std::vector<Report<kDeviceAttributes>> device_reports_;
    std::vector<Report<kServerAttributes>> server_reports_;
    std::vector<Report<kLinkAttributes>> link_reports_;
};

}  // namespace tiertwin::plant
