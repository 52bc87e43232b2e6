#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "localise/posterior.hpp"

namespace localise_test {

using namespace tiertwin;
using namespace tiertwin::localise;

namespace {

struct Model {
    std::vector<index_t> start, observation;
    std::vector<double> q, leak, prior;
    [[nodiscard]] std::shared_ptr<const Influences> built() const {
        return std::make_shared<const Influences>(InfluenceRows{start, observation, q, leak, prior});
    }
};

void tell(Evidence& evidence, std::vector<index_t> observation, std::vector<std::int32_t> state) {
    evidence.observe(observation, state);
}

// `count` causes, each with an alarm of its own and one that all share.
Model star(std::size_t count) {
    Model model;
    model.start.push_back(0);
    for (std::size_t c = 0; c < count; ++c) {
        model.observation.insert(model.observation.end(), {0, static_cast<index_t>(c) + 1});
        model.q.insert(model.q.end(), {0.8, 0.9});
        model.start.push_back(static_cast<index_t>(model.q.size()));
    }
    model.leak.assign(count + 1, 0.01);
    model.prior.assign(count, 0.001);
    return model;
}

}  // namespace

TEST_CASE("localise: Bayes for one cause and one alarm") {
    const Model model{{0, 1}, {0}, {0.9}, {0.01}, {0.001}};
    Evidence evidence(model.built());
    tell(evidence, {0}, {1});
    const double there = 0.001 * (1.0 - 0.99 * 0.1), not_there = 0.999 * 0.01;
    CHECK(posterior(evidence, {}).probability[0] == doctest::Approx(there / (there + not_there)).epsilon(1e-12));
    tell(evidence, {0}, {0});
    const double silent = 0.001 * 0.1 / (0.001 * 0.1 + 0.999);
    CHECK(posterior(evidence, {}).probability[0] == doctest::Approx(silent).epsilon(1e-12));
}

TEST_CASE("localise: what one cause explains makes the other less likely") {
    const Model model{{0, 1, 3}, {0, 0, 1}, {0.9, 0.9, 0.9}, {0.01, 0.01}, {0.01, 0.01}};
    Evidence evidence(model.built());
    tell(evidence, {0}, {1});
    const double before = posterior(evidence, {}).probability[0];
    tell(evidence, {1}, {1});
    const auto after = posterior(evidence, {});
    CHECK(after.probability[0] < before / 2.0);
    CHECK(after.best == std::vector<std::int32_t>{1});
}

TEST_CASE("localise: parts are joined by alarms alone") {
    Evidence evidence(star(3).built());
    tell(evidence, {0, 1, 2, 3}, {0, 1, 1, 0});
    CHECK(parts_of(evidence, 25.0).size() == 2);
    tell(evidence, {0}, {1});
    CHECK(parts_of(evidence, 25.0).size() == 1);
    CHECK(parts_of(evidence, 1e-9).size() <= 1);
}

TEST_CASE("localise: as many causes as there are, beyond any shortlist") {
    Evidence evidence(star(30).built());
    std::vector<index_t> all;
    for (index_t i = 0; i <= 30; ++i) all.push_back(i);
    evidence.observe(all, std::vector<std::int32_t>(31, 1));
    const auto found = posterior(evidence, {.cutoff = 25.0, .shortlist = 4, .work = 2e7});
    CHECK_FALSE(found.complete);  // and says that not every set was summed
    CHECK(found.ln_best <= 0.0);
    for (const double p : found.probability) CHECK((p >= 0.0 && p <= 1.0 + 1e-12));
    CHECK(posterior(evidence, {}).best == found.best);
}

TEST_CASE("localise: a limit of work is kept and told") {
    Evidence evidence(star(200).built());
    std::vector<index_t> all;
    for (index_t i = 0; i <= 200; ++i) all.push_back(i);
    evidence.observe(all, std::vector<std::int32_t>(201, 1));
    CHECK_FALSE(posterior(evidence, {.cutoff = 25.0, .shortlist = 12, .work = 1.0}).complete);
}

TEST_CASE("localise: models that are none are refused") {
    Model model = star(2);
    model.q[1] = 1.0;
    CHECK_THROWS_AS((void)model.built(), InvalidArgument);
    model = star(2);
    model.leak[0] = 0.0;
    CHECK_THROWS_AS((void)model.built(), InvalidArgument);
    model = star(2);
    model.observation[1] = 9;
    CHECK_THROWS_AS((void)model.built(), InvalidArgument);
    model = star(2);
    model.start.pop_back();
    CHECK_THROWS_AS((void)model.built(), InvalidArgument);
}

TEST_CASE("localise: rounding of many alarms does not look like a better set") {
    // One cause behind 200 000 alarms; 400 others share 500 of them each, in lookalike pairs.
    constexpr index_t kAlarms = 200'000, kOthers = 400;
    Model model;
    model.start.push_back(0);
    for (index_t c = 0; c <= kOthers; ++c) {
        const index_t step = c == kOthers ? 1 : kOthers, begin = c == kOthers ? 0 : c / 2;
        for (index_t i = begin; i < kAlarms; i += step) model.observation.push_back(i);
        model.q.resize(model.observation.size(), 0.9);
        model.start.push_back(static_cast<index_t>(model.q.size()));
    }
    model.leak.assign(kAlarms, 1e-3);
    model.prior.assign(kOthers + 1, 1e-4);
    Evidence evidence(model.built());
    std::vector<index_t> all;
    std::vector<std::int32_t> state;
    for (index_t i = 0; i < kAlarms; ++i) all.push_back(i), state.push_back(i / kOthers % 10 != 0 ? 1 : 0);
    evidence.observe(all, state);
    const auto found = posterior(evidence, {});
    CHECK(found.best == std::vector<std::int32_t>{kOthers});
    CHECK(found.complete);
}

}  // namespace localise_test
