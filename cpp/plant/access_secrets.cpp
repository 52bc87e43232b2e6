#include "plant/access_secrets.hpp"

namespace tiertwin::plant {

std::vector<CellSecret> draw_secrets(const AccessConfig& c, const Chance& chance) {
    std::vector<CellSecret> secrets(c.cells());
    for (std::size_t i = 0; i < secrets.size(); ++i) {
        const auto [loss, azimuth] = normals(chance.block(i, Purpose::kAccessCell, 0));
        const auto [tilt, unused] = normals(chance.block(i, Purpose::kAccessCell, 1));
        const PhiloxBlock words = chance.block(i, Purpose::kAccessCell, 2);
        static_cast<void>(unused);
        secrets[i].loss_db = c.hidden_loss_db * loss;
        secrets[i].azimuth = c.hidden_azimuth * azimuth;
        secrets[i].tilt = c.hidden_tilt * tilt;
        secrets[i].efficiency = c.efficiency_low + uniform(words[0], words[1]) * (c.efficiency_high - c.efficiency_low);
        secrets[i].in_order = uniform(words[2], words[3]) < c.in_order_share;
    }
    return secrets;
}

std::vector<radio::Cell> true_cells(const AccessConfig& config, const std::vector<CellSecret>& secrets) {
    std::vector<radio::Cell> cells;
    cells.reserve(secrets.size());
    for (std::size_t i = 0; i < secrets.size(); ++i) {
        radio::Cell cell = config.cell(i);
        cell.power_dbm -= secrets[i].loss_db;
        cell.sector.azimuth += secrets[i].azimuth;
        cell.sector.tilt += secrets[i].tilt;
        cells.push_back(cell);
    }
    return cells;
}

}  // namespace tiertwin::plant
