#include "localise/influences.hpp"

#include <string>

#include "base/error.hpp"

namespace tiertwin::localise {
namespace {

constexpr double kLeast = 1e-12;

[[noreturn]] void refuse(const char* what, std::size_t at, double value, const char* expected) {
    throw InvalidArgument(std::string(what) + "[" + std::to_string(at) + "]: expected " + expected + ", got " +
                          std::to_string(value));
}

void require_open(std::span<const double> values, const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!(values[i] >= kLeast && values[i] <= 1.0 - kLeast))
            refuse(what, i, values[i], "a probability of 1e-12 to 1 - 1e-12");
}

void require_starts(const InfluenceRows& rows) {
    if (rows.start.size() != rows.prior.size() + 1)
        throw InvalidArgument("start: expected " + std::to_string(rows.prior.size() + 1) +
                              " entries (causes + 1; a prior names a cause), got " + std::to_string(rows.start.size()));
    if (rows.observation.size() != rows.q.size())
        throw InvalidArgument("q: expected " + std::to_string(rows.observation.size()) +
                              " numbers, one an influence, got " + std::to_string(rows.q.size()));
    const auto last = static_cast<index_t>(rows.observation.size());
    bool rising = rows.start.front() == 0 && rows.start.back() == last;
    for (std::size_t c = 1; c < rows.start.size(); ++c) rising = rising && rows.start[c - 1] <= rows.start[c];
    if (!rising) throw InvalidArgument("start: expected to count up from 0 to " + std::to_string(last) + " influences");
}

void require_influences(const InfluenceRows& rows) {
    for (std::size_t c = 0; c + 1 < rows.start.size(); ++c) {
        index_t before = -1;
        for (auto e = static_cast<std::size_t>(rows.start[c]); e < static_cast<std::size_t>(rows.start[c + 1]); ++e) {
            const index_t i = rows.observation[e];
            if (i <= before || i >= static_cast<index_t>(rows.leak.size()))
                throw InvalidArgument("observation[" + std::to_string(e) + "] of cause " + std::to_string(c) +
                                      ": expected ascending numbers below " + std::to_string(rows.leak.size()) +
                                      ", got " + std::to_string(i) + " after " + std::to_string(before));
            if (!(rows.q[e] >= 0.0 && rows.q[e] <= 1.0 - kLeast))
                refuse("q", e, rows.q[e], "a probability of 0 to 1 - 1e-12");
            before = i;
        }
    }
}

}  // namespace

Influences::Influences(const InfluenceRows& rows) {
    require_starts(rows);
    require_open(rows.leak, "leak");
    require_open(rows.prior, "prior");
    require_influences(rows);
    first_.assign(rows.start.begin(), rows.start.end());
    for (const double leak : rows.leak) background_.push_back(-std::log1p(-leak));
    for (const double prior : rows.prior) log_odds_.push_back(std::log(prior) - std::log1p(-prior));
    influence_.reserve(rows.q.size());
    for (std::size_t e = 0; e < rows.q.size(); ++e) {
        const double exposure = -std::log1p(-rows.q[e]);
        const double own = background_[static_cast<std::size_t>(rows.observation[e])];
        influence_.push_back(
            {static_cast<std::int32_t>(rows.observation[e]), exposure, ln_alarm(own + exposure) - ln_alarm(own)});
    }
    transpose();
}

void Influences::transpose() {
    begin_.assign(observations() + 1, 0);
    for (const auto& influence : influence_) ++begin_[static_cast<std::size_t>(influence.observation) + 1];
    for (std::size_t i = 0; i < observations(); ++i) begin_[i + 1] += begin_[i];
    cause_.resize(influence_.size());
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t c = 0; c < causes(); ++c)
        for (const auto& influence : of(c))
            cause_[next[static_cast<std::size_t>(influence.observation)]++] = static_cast<std::int32_t>(c);
}

}  // namespace tiertwin::localise
