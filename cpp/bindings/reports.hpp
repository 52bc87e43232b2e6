// What the files of the plant share: reports as arrays, and its surroundings.
#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "bindings/common.hpp"
#include "plant/plant.hpp"

namespace tiertwin::bindings {

// (site_ptr, id, time_ns, arrival_ns, values)
template <std::size_t Width>
py::tuple reports(const plant::Batch<Width>& batch) {
    const auto rows = static_cast<py::ssize_t>(batch.rows.size());
    py::array_t<std::int64_t> id(rows), clock(rows), arrival(rows);
    py::array_t<double> values({rows, static_cast<py::ssize_t>(Width)});
    for (py::ssize_t i = 0; i < rows; ++i) {
        const auto& row = batch.rows[static_cast<std::size_t>(i)];
        id.mutable_at(i) = row.id;
        clock.mutable_at(i) = row.clock;
        arrival.mutable_at(i) = row.arrival;
        std::copy(row.values.begin(), row.values.end(), values.mutable_data(i, 0));
    }
    return py::make_tuple(fresh<std::int64_t>(batch.site_ptr), id, clock, arrival, values);
}

class Fields;

// bind_access.cpp. Of zones: rules and track.
using AccessZones = std::vector<std::pair<py::dict, std::vector<std::array<double, 3>>>>;
[[nodiscard]] plant::AccessConfig access_config(std::uint64_t seed, const py::dict& source, const AccessZones& zones);
[[nodiscard]] py::dict truth_cells(const plant::AccessNetwork& network);
[[nodiscard]] py::dict truth_users(const plant::AccessNetwork& network);
[[nodiscard]] py::dict truth_packets(const plant::Air& air);

// bind_plant_access.cpp
void bind_plant_access(py::class_<plant::Plant>& bound);
void add_radio(py::dict& kpis, const plant::Kpis& taken);

// bind_faults.cpp
void bind_faults(py::class_<plant::Plant>& bound);

// bind_surroundings.cpp
[[nodiscard]] plant::WearConfig wear_of(const py::dict& source);
[[nodiscard]] plant::RainConfig rain_of(Fields& fields);
void bind_surroundings(py::class_<plant::Plant>& bound);
void add_surroundings(py::dict& kpis, const plant::Kpis& taken);

}  // namespace tiertwin::bindings
