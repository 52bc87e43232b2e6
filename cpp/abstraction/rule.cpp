#include "abstraction/rule.hpp"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

constexpr std::array<std::pair<Rule, std::string_view>, 10> kRules{{{Rule::sum, "sum"},
                                                                    {Rule::min, "min"},
                                                                    {Rule::max, "max"},
                                                                    {Rule::moments, "moments"},
                                                                    {Rule::any, "any"},
                                                                    {Rule::all, "all"},
                                                                    {Rule::wmean, "wmean"},
                                                                    {Rule::hist, "hist"},
                                                                    {Rule::largest, "largest"},
                                                                    {Rule::oldest, "oldest"}}};

}  // namespace

Rule rule_of(std::string_view name) {
    std::string known;
    for (const auto& [rule, text] : kRules) {
        if (text == name) return rule;
        known += (known.empty() ? "" : ", ") + std::string(text);
    }
    throw InvalidArgument("Expected a merge rule (" + known + "), got '" + std::string(name) + "'");
}

std::string_view name_of(Rule rule) { return kRules[static_cast<std::size_t>(rule)].second; }

double declared_bound(Rule rule, index_t members, double deadband, double value) {
    switch (rule) {
        case Rule::sum:
            return static_cast<double>(members) * deadband;
        case Rule::min:
        case Rule::max:
        case Rule::largest:
        case Rule::moments:
        case Rule::wmean:
            return deadband;
        case Rule::hist:  // order statistics move by at most the dead-band, then fall into a bucket
            return deadband + kQuantileError * (std::abs(value) + deadband) / (1.0 - kQuantileError);
        case Rule::any:
        case Rule::all:
        case Rule::oldest:
            return 0.0;
    }
    return 0.0;
}

}  // namespace tiertwin::abstraction
