#include "whatif/model.hpp"

#include <algorithm>

namespace tiertwin::whatif {
namespace {

Belief checked(Belief belief) {
    belief.validate();
    return belief;
}

}  // namespace

Model::Model(Belief belief)
    : belief_(checked(std::move(belief))), backbone_(belief_), sites_(belief_, backbone_.believed()) {}

Player::Player(const Model& model)
    : model_(model), state_(model.belief()), search_(model.backbone()), work_(model.belief()) {
    planned_.problem.resize(model.belief().homes());
    planned_.x.resize(model.belief().homes() * model.belief().groups() * kTiers);
}

void Player::enter(const Situations& situations, std::size_t which) {
    state_.reset(model_.belief());
    state_.apply(model_.belief(), situations, which);
    model_.backbone().ways(state_, search_, ways_);
    for (std::size_t d = 0; d < planned_.problem.size(); ++d)
        model_.sites().problem(d, state_, ways_, planned_.problem[d]);
}

void Player::expect(Replan replan, std::span<double, kKpis> kpis) {
    const std::size_t cells = model_.belief().groups() * kTiers;
    for (std::size_t d = 0; d < planned_.problem.size(); ++d)
        model_.sites().plan(d, planned_.problem[d], replan, std::span(planned_.x).subspan(d * cells, cells));
    whatif::expect(model_.belief(), model_.sites(), state_, ways_, planned_, work_, kpis);
}

void Player::expect(std::span<const double> plan, std::span<double, kKpis> kpis) {
    std::ranges::copy(plan, planned_.x.begin());
    whatif::expect(model_.belief(), model_.sites(), state_, ways_, planned_, work_, kpis);
}

void sweep(const Model& model, const Situations& situations, Replan replan, std::size_t first, std::size_t last,
           std::span<double> kpis) {
    Player player(model);
    for (std::size_t s = first; s < last; ++s) {
        player.enter(situations, s);
        player.expect(replan, std::span<double, kKpis>(kpis.subspan((s - first) * kKpis, kKpis)));
    }
}

}  // namespace tiertwin::whatif
