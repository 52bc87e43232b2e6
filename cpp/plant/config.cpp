#include "plant/config.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "base/index.hpp"
#include "base/infinity.hpp"

namespace tiertwin::plant {
namespace {

constexpr double kLongestService_s = 1e6;

template <typename T>
void expect_size(const char* name, const std::vector<T>& values, index_t size, const char* unit) {
    if (static_cast<index_t>(values.size()) == size) return;
    throw InvalidArgument(std::string(name) + ": expected " + std::to_string(size) + " values (one per " + unit +
                          "), got " + std::to_string(values.size()));
}

// low < value <= high where `open`, low <= value <= high otherwise; NaN never passes.
void expect_within(const std::string& where, double value, double low, double high, bool open = false) {
    if ((open ? value > low : value >= low) && value <= high) return;
    throw InvalidArgument(where + ": expected a number " + (open ? "above " : "from ") + std::to_string(low) +
                          (high < kInfinity ? " up to " + std::to_string(high) : ", finite or not,") + ", got " +
                          std::to_string(value));
}

void expect_all(const char* name, const std::vector<double>& values, double low, bool open = false) {
    constexpr double kLargest = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!((open ? values[i] > low : values[i] >= low) && values[i] <= kLargest)) {
            throw InvalidArgument(element(name, i) + ": expected a finite number " +
                                  (open ? "above " : "of at least ") + std::to_string(low) + ", got " +
                                  std::to_string(values[i]));
        }
    }
}

void expect_index(const char* name, const std::vector<std::int64_t>& values, index_t low, index_t end, const char* of) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] >= low && values[i] < end) continue;
        throw InvalidArgument(element(name, i) + ": expected " + of + " from " + std::to_string(low) + " to " +
                              std::to_string(end - 1) + ", got " + std::to_string(values[i]));
    }
}

void check_devices(const Config& c) {
    expect_size("device_class", c.device_class, c.devices(), "device");
    expect_size("device_ring", c.device_ring, c.devices(), "device");
    expect_size("device_key", c.device_key, c.devices(), "device");
    expect_size("device_ghz", c.device_ghz, c.devices(), "device");
    if (c.devices() > std::numeric_limits<std::int32_t>::max()) {
        throw InvalidArgument("device_site: expected at most 2147483647 devices, got " + std::to_string(c.devices()));
    }
    if (c.sites() > 65536 || c.classes() > 256) {  // a task says where and what it is in 16 and 8 bits
        throw InvalidArgument("expected at most 65536 sites and 256 classes, got " + std::to_string(c.sites()) +
                              " and " + std::to_string(c.classes()));
    }
    expect_index("device_site", c.device_site, 0, c.sites(), "a site");
    expect_index("device_class", c.device_class, 0, c.classes(), "a class");
    expect_index("device_ring", c.device_ring, 0, c.rings(), "a ring");
    expect_all("device_ghz", c.device_ghz, 0.0, true);
    for (std::size_t i = 1; i < c.device_site.size(); ++i) {
        if (c.device_site[i] < c.device_site[i - 1] && !c.device_any_order) {
            throw InvalidArgument(element("device_site", i) + ": expected devices sorted by site, got site " +
                                  std::to_string(c.device_site[i]) + " after " + std::to_string(c.device_site[i - 1]));
        }
    }
}

void check_trace(const Config& c, std::size_t k) {
    const auto begin = static_cast<std::size_t>(c.trace_ptr[k]), end = static_cast<std::size_t>(c.trace_ptr[k + 1]);
    for (std::size_t i = begin; i < end; ++i) {
        if (i > begin && c.trace_s[i] < c.trace_s[i - 1]) {
            throw InvalidArgument(element("trace_s", i) + ": expected ascending times within class " +
                                  std::to_string(k) + ", got " + std::to_string(c.trace_s[i]) + " after " +
                                  std::to_string(c.trace_s[i - 1]));
        }
        if (c.trace_repeat_s[k] > 0) expect_within(element("trace_s", i), c.trace_s[i], 0.0, c.trace_repeat_s[k]);
    }
}

void check_classes(const Config& c) {
    const index_t n = c.classes();
    for (const auto& [name, values] : {std::pair{"class_megabits", &c.class_megabits},
                                       {"class_gcycles", &c.class_gcycles},
                                       {"class_deadline_s", &c.class_deadline_s},
                                       {"class_transmit_w", &c.class_transmit_w},
                                       {"class_on_s", &c.class_on_s},
                                       {"class_off_s", &c.class_off_s},
                                       {"trace_repeat_s", &c.trace_repeat_s},
                                       {"class_tasks_per_s", &c.class_tasks_per_s}}) {
        expect_size(name, *values, n, "class");
        expect_all(name, *values, 0.0);
    }
    expect_size("class_arrival", c.class_arrival, n, "class");
    expect_index("class_arrival", c.class_arrival, 0, 3, "0 (Poisson), 1 (on-off) or 2 (trace): a number");
    expect_size("class_exponential", c.class_exponential, n, "class");
    expect_index("class_exponential", c.class_exponential, 0, 2, "a flag");
    expect_all("trace_s", c.trace_s, 0.0);
    expect_size("trace_ptr", c.trace_ptr, n + 1, "class, and one");
    for (std::size_t k = 0; k + 1 < c.trace_ptr.size(); ++k) {
        if (c.trace_ptr[0] != 0 || c.trace_ptr[k + 1] < c.trace_ptr[k] ||
            c.trace_ptr.back() != static_cast<index_t>(c.trace_s.size())) {
            throw InvalidArgument("trace_ptr: expected a rising range from 0 to the " +
                                  std::to_string(c.trace_s.size()) + " times of trace_s");
        }
    }
    for (std::size_t k = 0; k < static_cast<std::size_t>(n); ++k) {
        if (c.class_arrival[k] == static_cast<std::int64_t>(Arrival::kOnOff)) {
            expect_within(element("class_on_s", k), c.class_on_s[k], 0.0, kInfinity, true);
        }
        if (c.class_tasks_per_s[k] > 1e8)
            expect_within(element("class_tasks_per_s", k), c.class_tasks_per_s[k], 0.0, 1e8);
        check_trace(c, k);
    }
}

void check_links(const Config& c) {
    expect_size("link_propagation_s", c.link_propagation_s, c.links(), "directed link");
    expect_size("link_background_mbps", c.link_background_mbps, c.links(), "directed link");
    expect_size("link_site", c.link_site, c.links(), "directed link");
    expect_all("link_capacity_mbps", c.link_capacity_mbps, 0.0, true);
    expect_all("link_propagation_s", c.link_propagation_s, 0.0);
    expect_all("link_background_mbps", c.link_background_mbps, 0.0);
    expect_index("link_site", c.link_site, -1, c.sites(), "a site or -1:");
    expect_size("site_fog", c.site_fog, c.sites(), "site");
    expect_index("site_fog", c.site_fog, 0, c.fogs(), "a fog");
    validate_routes("route_site", c.route_site_ptr, c.route_site_links, c.sites(), c.links());
    validate_routes("route_fog", c.route_fog_ptr, c.route_fog_links, c.fogs(), c.links());
}

void check_servers(const Config& c) {
    for (const auto& [name, values] : {std::pair{"server_cores", &c.server_cores},
                                       {"server_core_ghz", &c.server_core_ghz},
                                       {"server_idle_w", &c.server_idle_w},
                                       {"server_j_per_gcycle", &c.server_j_per_gcycle}}) {
        expect_size(name, *values, c.servers(), "server: sites, fogs, cloud");
    }
    expect_size("server_discipline", c.server_discipline, c.servers(), "server");
    expect_size("server_site", c.server_site, c.servers(), "server");
    expect_index("server_discipline", c.server_discipline, 0, 3, "0 (sharing), 1 (fifo) or 2 (weighted): a number");
    expect_index("server_site", c.server_site, -1, c.sites(), "a site or -1:");
    expect_all("server_cores", c.server_cores, 0.0, true);
    expect_all("server_core_ghz", c.server_core_ghz, 0.0, true);
    expect_all("server_idle_w", c.server_idle_w, 0.0);
    expect_all("server_j_per_gcycle", c.server_j_per_gcycle, 0.0);
    for (std::size_t i = 0; i < c.server_cores.size(); ++i) {
        if (c.server_discipline[i] == 1 &&
            (c.server_cores[i] != std::floor(c.server_cores[i]) || c.server_cores[i] > 1e6)) {
            throw InvalidArgument(element("server_cores", i) +
                                  ": expected a whole number of cores up to 1000000 for a " +
                                  "first-in-first-out server, got " + std::to_string(c.server_cores[i]));
        }
    }
}

void check_radio(const Config& c) {
    expect_all("ring_rate_mbps", c.ring_rate_mbps, 0.0, true);
    expect_all("radio_factor", c.radio_factor, 0.0, true);
    if (c.radio_factor.empty()) throw InvalidArgument("radio_factor: expected at least one load bin, got none");
    expect_all("site_cells", c.site_cells, 0.0, true);
    expect_within("radio_window_s", c.radio_window_s, 0.0, 1e6, true);
    for (std::size_t i = 0; c.radio_fifo && i < c.site_cells.size(); ++i) {
        if (c.site_cells[i] != std::floor(c.site_cells[i]) || c.site_cells[i] > 1e6) {
            throw InvalidArgument(element("site_cells", i) +
                                  ": expected a whole number of cells for first-in-first-out radio, got " +
                                  std::to_string(c.site_cells[i]));
        }
    }
}

void check_scalars(const Config& c) {
    expect_within("device_j_per_gcycle_ghz2", c.device_j_per_gcycle_ghz2, 0.0, 1e9);
    expect_within("link_j_per_mb", c.link_j_per_mb, 0.0, 1e9);
    expect_within("buffer_s", c.buffer_s, 0.0, kInfinity);
    expect_within("delay_low_s", c.delay_low_s, 0.0, 1e3);
    expect_within("delay_high_s", c.delay_high_s, c.delay_low_s, 1e3);
    expect_within("loss", c.loss, 0.0, 1.0);
    expect_within("noise", c.noise, 0.0, 10.0);
    expect_within("clock_offset_s", c.clock_offset_s, 0.0, 1e3);
    if (c.report_s != 0) expect_within("report_s", c.report_s, 0.001, 1e5);
}

// A service of years is a unit mistake, and its nanoseconds would overflow.
void check_services(const Config& c) {
    const auto least = [](const std::vector<double>& values) {
        double low = kInfinity;
        for (const double value : values) low = std::min(low, value);
        return low;
    };
    const double slowest_cpu = std::min(least(c.server_core_ghz), least(c.device_ghz));
    const double slowest_send =
        std::min(least(c.ring_rate_mbps) * least(c.radio_factor), 0.01 * least(c.link_capacity_mbps));
    for (std::size_t k = 0; k < c.class_megabits.size(); ++k) {
        expect_within(element("class_gcycles", k) + " / slowest core", c.class_gcycles[k] / slowest_cpu, 0.0,
                      kLongestService_s);
        expect_within(element("class_megabits", k) + " / slowest rate", c.class_megabits[k] / slowest_send, 0.0,
                      kLongestService_s);
    }
}

}  // namespace

void validate_routes(const char* name, const std::vector<std::int64_t>& ptr, const std::vector<std::int64_t>& links,
                     index_t rows, index_t link_count) {
    const std::string field(name);
    expect_size((field + "_ptr").c_str(), ptr, rows + 1, "route, and one");
    for (std::size_t i = 0; i + 1 < ptr.size(); ++i) {
        if (ptr[0] != 0 || ptr[i + 1] < ptr[i]) {
            throw InvalidArgument(element((field + "_ptr").c_str(), i + 1) + ": expected offsets rising from 0, got " +
                                  std::to_string(ptr[i + 1]) + " after " + std::to_string(ptr[i]));
        }
    }
    expect_size((field + "_links").c_str(), links, ptr.back(), "hop by the offsets");
    expect_index((field + "_links").c_str(), links, 0, link_count, "a directed link");
}

void Config::validate() const {
    if (sites() < 1 || classes() < 1 || rings() < 1 || fogs() < 1) {
        throw InvalidArgument("Plant: expected at least one site, class, ring and fog, got " + std::to_string(sites()) +
                              ", " + std::to_string(classes()) + ", " + std::to_string(rings()) + ", " +
                              std::to_string(fogs()) +
                              " (site_cells, class_tasks_per_s, ring_rate_mbps, route_fog_ptr)");
    }
    check_radio(*this);
    check_devices(*this);
    check_classes(*this);
    check_links(*this);
    check_servers(*this);
    check_scalars(*this);
    check_services(*this);
}

}  // namespace tiertwin::plant
