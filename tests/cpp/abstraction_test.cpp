#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "abstraction/summarize.hpp"
#include "base/error.hpp"

namespace abstraction_test {

using namespace tiertwin;
using namespace tiertwin::abstraction;

namespace {

AttributeRegistry registry_up_to(AttributeId last) {
    AttributeRegistry registry;
    for (AttributeId id = 1; id <= last; ++id) {
        registry.add({.id = id,
                      .name = std::string("a").append(std::to_string(id)),
                      .unit = "1",
                      .kind = "gauge",
                      .type = ValueType::f64,
                      .merge = "sum",
                      .low = -1e12,
                      .high = 1e12,
                      .max_age_ms = 1000});
    }
    return registry;
}

StateTable members_of(const AttributeRegistry& registry, const std::vector<double>& values) {
    StateTable table(registry, 1, {1}, static_cast<index_t>(values.size()));
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < values.size(); ++row) rows.push_back(row);
    table.set(1, rows, values, kSecond);
    return table;
}

}  // namespace

TEST_CASE("abstraction: compensated sums do not lose small members beside large ones") {
    const AttributeRegistry registry = registry_up_to(3);
    const StateTable members = members_of(registry, {1e12, 1e-4, -1e12, 1e-4});
    const std::vector<std::int64_t> one(4, 0);
    const Partition partition(one, 1);
    StateTable out(registry, 2, {2}, 1);
    const PlanEntry sum{.source = 1, .rule = Rule::sum, .target = 2};
    CHECK(summarize(members, partition, std::span(&sum, 1), out, kSecond) == 1);
    CHECK(out.value(2, 0) == doctest::Approx(2e-4).epsilon(1e-12));
}

TEST_CASE("abstraction: ten members with 1 are not one with 10") {
    const AttributeRegistry registry = registry_up_to(3);
    const StateTable members = members_of(registry, std::vector<double>(10, 1.0));
    const std::vector<std::int64_t> one(10, 0);
    const Partition partition(one, 1);
    StateTable out(registry, 2, {2, 3}, 1);
    const std::vector<PlanEntry> plan{{.source = 1, .rule = Rule::sum, .target = 2},
                                      {.source = 1, .rule = Rule::largest, .target = 3}};
    CHECK(summarize(members, partition, plan, out, kSecond) == 2);
    CHECK(out.value(2, 0) == 10.0);
    CHECK(out.value(3, 0) == 1.0);
}

TEST_CASE("abstraction: blocks nobody wrote, and rows beyond the first block") {
    const AttributeRegistry registry = registry_up_to(3);
    StateTable members(registry, 1, {1}, 3 * kBlockRows);
    const std::vector<std::uint32_t> rows{static_cast<std::uint32_t>(2 * kBlockRows + 7)};
    const std::vector<double> values{5.0};
    members.set(1, rows, values, kSecond);
    const Partition partition(std::vector<std::int64_t>(static_cast<std::size_t>(3 * kBlockRows), 0), 1);
    StateTable out(registry, 2, {2, 3}, 1);
    const std::vector<PlanEntry> plan{{.source = 1, .rule = Rule::max, .target = 2},
                                      {.source = 1, .rule = Rule::oldest, .target = 3}};
    CHECK(summarize(members, partition, plan, out, 3 * kSecond) == 2);
    CHECK(out.value(2, 0) == 5.0);
    CHECK(out.value(3, 0) == 2000.0);
}

TEST_CASE("abstraction: each bucket answers within 1 % of all that falls into it") {
    const LogBuckets buckets(0.5, 2000.0);
    for (double x = 0.5; x < 2000.0; x *= 1.0037) {
        const double answer = buckets.value(buckets.index(x));
        CHECK(std::abs(answer - x) <= kQuantileError * x * (1.0 + 1e-9));
    }
    CHECK(buckets.index(-3.0) == 0);
    CHECK(buckets.index(1e9) == buckets.count() - 1);
    CHECK_THROWS_AS(LogBuckets(0.0, 1.0), InvalidArgument);
}

TEST_CASE("abstraction: rule names are two-way and unknown ones are refused with the list") {
    for (const auto rule : {Rule::sum, Rule::min, Rule::max, Rule::moments, Rule::any, Rule::all, Rule::wmean,
                            Rule::hist, Rule::largest, Rule::oldest}) {
        CHECK(rule_of(name_of(rule)) == rule);
    }
    CHECK_THROWS_AS((void)rule_of("mean"), InvalidArgument);
}

}  // namespace abstraction_test
