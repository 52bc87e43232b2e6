// A compute server: one of the disciplines behind one face.
#pragma once

#include <variant>
#include <vector>

#include "base/types.hpp"
#include "plant/flows.hpp"
#include "plant/station.hpp"
#include "plant/task.hpp"

namespace tiertwin::plant {

class Server {
  public:
    // `flows` may come here; only kWeighted tells them apart.
    Server(Discipline discipline, double cores, double ghz, double buffer_s, index_t flows)
        : station_(Station(Discipline::kSharing, cores, ghz, buffer_s)) {
        if (discipline == Discipline::kFifo) station_ = Station(discipline, cores, ghz, buffer_s);
        if (discipline == Discipline::kWeighted)
            station_ = FlowStation(Discipline::kSharing, cores, ghz, buffer_s, flows);
    }

    [[nodiscard]] bool join(Time now, TaskId task, double gcycles, index_t flow) {
        if (auto* weighted = std::get_if<FlowStation>(&station_)) return weighted->join(now, task, gcycles, flow);
        return std::get<Station>(station_).join(now, task, gcycles);
    }
    // Nothing where flows are not told apart.
    void grant(Time now, index_t first, std::span<const double> ghz) {
        if (auto* weighted = std::get_if<FlowStation>(&station_)) weighted->grant(now, first, ghz);
    }
    [[nodiscard]] Time next() const {
        return std::visit([](const auto& station) { return station.next(); }, station_);
    }
    TaskId depart(Time now) {
        return std::visit([now](auto& station) { return station.depart(now); }, station_);
    }
    [[nodiscard]] std::vector<TaskId> evict(Time now) {
        return std::visit([now](auto& station) { return station.evict(now); }, station_);
    }
    void set_up(bool up) {
        std::visit([up](auto& station) { station.set_up(up); }, station_);
    }
    [[nodiscard]] bool up() const {
        return std::visit([](const auto& station) { return station.up(); }, station_);
    }
    [[nodiscard]] double waiting() const {
        return std::visit([](const auto& station) { return station.waiting(); }, station_);
    }
    // GHz of a core, above 0, from now on: for tasks under way too, but first in first out for those that join later.
    void set_speed(Time now, double ghz) {
        const double busy_s = std::visit([now](const auto& station) { return station.busy_s(now); }, station_);
        done_gcycles_ = done_gcycles(now);
        busy_s_ = busy_s;
        std::visit([now, ghz](auto& station) { station.set_speed(now, ghz); }, station_);
    }
    // Gigacycles done from time 0 to `now`.
    [[nodiscard]] double done_gcycles(Time now) const {
        return std::visit(
            [this, now](const auto& station) {
                return done_gcycles_ + (station.busy_s(now) - busy_s_) * station.speed();
            },
            station_);
    }

  private:
    std::variant<Station, FlowStation> station_;
    double done_gcycles_ = 0, busy_s_ = 0;  // when the speed changed last
};

}  // namespace tiertwin::plant
