// What every user of a radio access network hears: the strongest cells as they really stand, as received powers.
//
// Kept as mW at full power of the cell, so that a SINR is a sum of products with loads. The gain of a link, both ways,
// is what is received over what the plan says is sent: the hidden loss is part of it.
//
// Units      m; mW. Heights beyond 1 ... 22.5 m count as the nearest of these (the models know no higher users).
// Costs      radio::strongest a user found; 8 bytes a user and cell.
// Thread     one thread owns it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "plant/access_config.hpp"
#include "plant/access_secrets.hpp"
#include "radio/cells.hpp"
#include "radio/links.hpp"

namespace tiertwin::plant {

class AccessLinks {
  public:
    // InvalidArgument: cells that cannot be, or a map that reaches beyond what they can.
    AccessLinks(const AccessConfig& config, const std::vector<CellSecret>& secrets);

    // Finds the links of `users` at x, y, z.
    void find(std::span<const std::uint32_t> users, std::span<const double> x, std::span<const double> y,
              std::span<const double> z);

    [[nodiscard]] std::size_t heard() const { return heard_; }
    // Strongest first; -1 and 0 mW where there are fewer.
    [[nodiscard]] std::span<const std::int32_t> cells(std::size_t user) const {
        return {cells_.data() + user * heard_, heard_};
    }
    [[nodiscard]] std::span<const float> received(std::size_t user) const {
        return {received_.data() + user * heard_, heard_};
    }
    [[nodiscard]] const radio::CellMap& map() const { return map_; }

  private:
    void find_some(std::span<const std::uint32_t> users, std::span<const double> x, std::span<const double> y,
                   std::span<const double> z);

    std::size_t heard_;
    radio::CellMap map_;
    radio::SiteFields fields_;
    radio::LinkRules rules_;
    std::vector<char> indoors_;
    std::vector<std::int32_t> cells_;
    std::vector<float> received_;
    std::unique_ptr<bool[]> inside_;  // scratch, as the next ones
    std::vector<double> height_, gain_;
    std::vector<std::int32_t> found_;
};

}  // namespace tiertwin::plant
