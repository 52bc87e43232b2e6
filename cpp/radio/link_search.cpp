#include "radio/link_search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace tiertwin::radio {
namespace {

constexpr double kDegrees = 180.0 / std::numbers::pi;
constexpr double kNoGain = -std::numeric_limits<double>::infinity();
constexpr double kSearchSlack = 1e-6;                // dB: more than rounding can hide
constexpr double kTall = 13.0;                       // m: from here on uma users have surroundings, of
constexpr double kLeastRaised = 12.0, kRaise = 3.0;  // m
constexpr double kDeepest = 25.0;                    // m behind a wall
constexpr double kRarely = 0.05, kNotRare = -1.64;   // Phi(-1.64) = 0.0505

// Beyond it a mast is seen with probability kRarely at most. The probability falls with the distance: always at 13 m
// and below, and for taller users from 450 m on, where what their height helps has its peak.
double rarely_seen_from(const CellMap::Kind& kind, double height) {
    const auto rarely = [&](double distance) {
        return sight_probability(kind.environment, {distance, kind.height, height}) <= kRarely;
    };
    double near = height > kTall ? 450.0 : 0.0, far = kind.reach;
    if (near > far || !rarely(far)) return far;
    while (far - near > 8.0) {
        const double middle = 0.5 * (near + far);
        (rarely(middle) ? far : near) = middle;
    }
    return far;
}

double height_in(Environment environment, double z) {
    if (environment == Environment::inh) return z;
    return environment == Environment::rma ? std::clamp(z, 1.0, 10.0) : std::clamp(z, 1.5, 22.5);
}

}  // namespace

LinkSearch::LinkSearch(const CellMap& map, const SiteFields& fields, const LinkRules& rules, index_t k)
    : map_(map),
      fields_(fields),
      rules_(rules),
      k_(static_cast<std::size_t>(k)),
      raised_(map.kinds().size()),
      walls_(map.kinds().size()),
      only_seen_from_(map.kinds().size()) {
    masts_.resize(static_cast<std::size_t>(std::min(rules.masts, static_cast<index_t>(map.masts().size()))));
    heard_.reserve(std::min(k_, map.cells().size()));
}

void LinkSearch::prepare(double z) {
    if (z == z_) return;
    z_ = z;
    laws_.clear();
    heights_.clear();
    rare_from_.clear();
    for (const CellMap::Kind& kind : map_.kinds()) {
        heights_.push_back(height_in(kind.environment, z));
        laws_.emplace_back(kind.environment, kind.ghz, kind.height, heights_.back());
        rare_from_.push_back(rarely_seen_from(kind, heights_.back()) + kDeepest);
    }
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        const CellMap::Kind& kind = map_.kinds()[i];
        raised_[i].clear();
        if (kind.environment != Environment::uma || z < kTall) continue;
        const double highest = std::min(z - 1.5, std::nextafter(kind.height, 0.0));
        for (double around = kLeastRaised; around <= highest; around += kRaise) {
            raised_[i].emplace_back(kind.environment, kind.ghz, kind.height, heights_[i], around);
        }
    }
}

void LinkSearch::prepare_walls(double x, double y) {
    if (!indoors_) {
        std::fill(walls_.begin(), walls_.end(), Wall{});
        return;
    }
    const bool dear = normal_share(fields_.place(Purpose::high_loss)(x, y)) < rules_.high_loss_share;
    const double depth = std::min(normal_share(fields_.place(Purpose::depth_one)(x, y)),
                                  normal_share(fields_.place(Purpose::depth_two)(x, y)));
    const double wall = fields_.place(Purpose::wall)(x, y);
    for (std::size_t i = 0; i < walls_.size(); ++i) {
        const Environment environment = map_.kinds()[i].environment;
        if (environment == Environment::inh) continue;
        const bool rural = environment == Environment::rma;
        const radio::Wall& built = fields_.wall(i, dear && !rural);
        walls_[i].depth = depth * (rural ? 10.0 : 25.0);
        walls_[i].loss = built.loss + built.sigma * wall + kLossInside * walls_[i].depth;
    }
}

// Whether a mast at this distance or farther can be among the k.
bool LinkSearch::any_beyond(double distance) const {
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        const CellMap::Kind& kind = map_.kinds()[i];
        if ((rules_.carrier != kAnyCarrier && kind.carrier != rules_.carrier) || distance > kind.reach) continue;
        const LossLaw::Medians median = laws_[i].at(distance);
        const double clear = median.clear - Field::kMost * laws_[i].sigma_clear(kind.reach);
        const double hidden = median.hidden - Field::kMost * laws_[i].sigma_hidden();
        if (kind.peak - walls_[i].loss - std::min(clear, hidden) >= least_ - kSearchSlack) return true;
    }
    return false;
}

// From where on a mast can be among the k only if it is in sight, and rarely is: one field tells nearly all of them.
void LinkSearch::look_ahead() {
    for (std::size_t i = 0; i < laws_.size(); ++i) {
        const CellMap::Kind& kind = map_.kinds()[i];
        const double best = kind.peak - walls_[i].loss - least_ + kSearchSlack + Field::kMost * laws_[i].sigma_hidden();
        double near = std::min(rare_from_[i], kind.reach), far = kind.reach;
        if (laws_[i].at(far).hidden <= best) near = far;
        if (laws_[i].at(near).hidden > best) far = near;
        while (far - near > 16.0) {
            const double middle = 0.5 * (near + far);
            (laws_[i].at(middle).hidden > best ? far : near) = middle;
        }
        only_seen_from_[i] = far;
    }
}

bool LinkSearch::in_sight(const Field& field, std::size_t kind, double distance) const {
    const CellMap::Kind& k = map_.kinds()[kind];
    const double outside = std::max(distance - walls_[kind].depth, 0.0);
    return below_share(field(x_, y_), sight_probability(k.environment, {outside, k.height, heights_[kind]}));
}

// Tall users of uma have surroundings of their own, and so a nearer breakpoint: never less loss than without.
double LinkSearch::median_loss(std::size_t kind, double distance, bool sight, const LossLaw::Medians& median) {
    const CellMap::Kind& k = map_.kinds()[kind];
    const double height = heights_[kind], plain = sight ? median.clear : median.hidden;
    if (raised_[kind].empty()) return plain;
    const double drawn = effective_height({distance, k.height, height}, surroundings_);
    if (drawn < kLeastRaised || drawn >= k.height) return plain;
    const auto step = static_cast<std::size_t>((drawn - kLeastRaised) / kRaise);
    const LossLaw::Medians raised = raised_[kind][step].at(distance);
    return sight ? raised.clear : raised.hidden;
}

void LinkSearch::judge(std::int32_t which) {
    const CellMap::Mast& mast = map_.masts()[static_cast<std::size_t>(which)];
    const auto number = static_cast<std::size_t>(mast.kind);
    const CellMap::Kind& kind = map_.kinds()[number];
    if (rules_.carrier != kAnyCarrier && kind.carrier != rules_.carrier) return;
    if (kind.environment == Environment::inh && !indoors_) return;
    const double east = x_ - mast.x, north = y_ - mast.y;
    const double distance = std::sqrt(east * east + north * north);
    if (distance > kind.reach) return;
    if (distance > only_seen_from_[number] && fields_.sight(which)(x_, y_) > kNotRare) return;
    const LossLaw& law = laws_[number];
    const LossLaw::Medians median = law.at(distance);
    const double best = mast.peak - walls_[number].loss - least_ + kSearchSlack;  // dB of loss that may be left
    const double sigma_clear = law.sigma_clear(distance), sigma_hidden = law.sigma_hidden();
    const bool clear_may = median.clear - Field::kMost * sigma_clear <= best;
    const bool hidden_may = median.hidden - Field::kMost * sigma_hidden <= best;
    if (!clear_may && !hidden_may) return;
    const bool sight = in_sight(fields_.sight(which), number, distance);
    if (!(sight ? clear_may : hidden_may)) return;
    const double shadow =
        sight ? sigma_clear * fields_.clear(which)(x_, y_) : sigma_hidden * fields_.hidden(which)(x_, y_);
    const double loss = median_loss(number, distance, sight, median) + shadow;
    if (loss <= best) hear(mast, east, north, distance, loss + walls_[number].loss);
}

void LinkSearch::hear(const CellMap::Mast& mast, double east, double north, double distance, double loss) {
    const double azimuth = std::atan2(east, north) * kDegrees;
    const double height = map_.kinds()[static_cast<std::size_t>(mast.kind)].height;
    const double elevation = std::atan2(z_ - height, distance) * kDegrees;
    for (const std::int32_t id : mast.cells) {
        const Cell& cell = map_.cells()[static_cast<std::size_t>(id)];
        const double gain = sector_gain(cell.sector, azimuth, elevation) - loss;
        keep({cell.power_dbm + gain, id, gain});
    }
}

void LinkSearch::keep(const Heard& one) {
    if (heard_.size() == k_) {
        if (!(one < heard_.front())) return;
        std::pop_heap(heard_.begin(), heard_.end());
        heard_.back() = one;
    } else {
        heard_.push_back(one);
    }
    std::push_heap(heard_.begin(), heard_.end());
    if (heard_.size() == k_) least_ = heard_.front().power;
}

void LinkSearch::find(double x, double y, double z, bool indoors, std::span<std::int32_t> cells,
                      std::span<double> gains) {
    x_ = x;
    y_ = y;
    indoors_ = indoors;
    least_ = kNoGain;
    heard_.clear();
    std::fill(only_seen_from_.begin(), only_seen_from_.end(), -kNoGain);
    prepare(z);
    prepare_walls(x, y);
    if (z >= kTall) surroundings_ = normal_share(fields_.place(Purpose::surroundings)(x, y));
    if (rules_.masts > 0) {
        const index_t found = map_.nearest_masts(x, y, rules_.carrier, masts_);
        for (index_t i = 0; i < found; ++i) judge(masts_[static_cast<std::size_t>(i)]);
    } else {
        const MastGrid& grid = map_.grid();
        const MastGrid::Square from = grid.square_of(x, y);
        const index_t last = grid.last_ring(from);
        for (index_t ring = 0; ring <= last && any_beyond(grid.least_distance(ring)); ++ring) {
            if (ring >= 2 && std::has_single_bit(static_cast<std::uint64_t>(ring))) look_ahead();
            grid.visit(from, ring, [this](std::int32_t mast) { judge(mast); });
        }
    }
    std::sort_heap(heard_.begin(), heard_.end());
    for (std::size_t i = 0; i < heard_.size(); ++i) {
        cells[i] = heard_[i].cell;
        gains[i] = heard_[i].gain;
    }
    std::fill(cells.begin() + static_cast<std::ptrdiff_t>(heard_.size()), cells.end(), -1);
    std::fill(gains.begin() + static_cast<std::ptrdiff_t>(heard_.size()), gains.end(), kNoGain);
}

}  // namespace tiertwin::radio
