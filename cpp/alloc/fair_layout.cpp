#include "alloc/fair_layout.hpp"

#include <algorithm>
#include <cmath>

namespace tiertwin::alloc {

namespace {

constexpr double kMostFill = 1.34;  // times the entries there are

}  // namespace

FairLayout::FairLayout(const Options& o, std::span<const std::int32_t> floor_of, std::size_t floors)
    : of_user(o.of_user), of_option{0}, of_common{0}, rows(static_cast<std::size_t>(o.resources) + floors) {
    const auto users = static_cast<std::size_t>(o.users);
    of_option.reserve(o.options() + 1);
    of_common.reserve(users + 1);
    std::vector<std::uint32_t> common;
    for (std::size_t u = 0; u < users; ++u) {
        common.clear();
        find_common(o, u, common);
        for (const std::uint32_t e : common) {
            common_row.push_back(o.resource[e]);
            common_source.push_back(e);
        }
        if (!floor_of.empty() && floor_of[u] >= 0) {
            common_row.push_back(static_cast<std::uint32_t>(o.resources + floor_of[u]));
            common_source.push_back(kFloor);
        }
        of_common.push_back(static_cast<std::uint32_t>(common_row.size()));
        for (std::uint32_t& e : common) e = o.resource[e];  // rows, from here on
        for (std::size_t k = o.of_user[u]; k < o.of_user[u + 1]; ++k) take_own(o, k, common);
    }
    fill_up();
}

// Entries of the first option of u that all its options have, at the same use.
void FairLayout::find_common(const Options& o, std::size_t u, std::vector<std::uint32_t>& common) const {
    const std::size_t from = o.of_user[u], to = o.of_user[u + 1];
    if (from == to) return;
    for (std::uint32_t e = o.of_option[from]; e < o.of_option[from + 1]; ++e)
        if (o.use[e] > 0.0) common.push_back(e);
    for (std::size_t k = from + 1; k < to && !common.empty(); ++k) {
        std::size_t at = o.of_option[k];
        std::erase_if(common, [&](std::uint32_t e) {
            while (at < o.of_option[k + 1] && o.resource[at] < o.resource[e]) ++at;
            return at == o.of_option[k + 1] || o.resource[at] != o.resource[e] || o.use[at] != o.use[e];
        });
    }
}

void FairLayout::take_own(const Options& o, std::size_t k, std::span<const std::uint32_t> common) {
    for (std::uint32_t e = o.of_option[k]; e < o.of_option[k + 1]; ++e) {
        if (o.use[e] == 0.0 || std::binary_search(common.begin(), common.end(), o.resource[e])) continue;
        row.push_back(o.resource[e]);
        source.push_back(e);
    }
    of_option.push_back(static_cast<std::uint32_t>(row.size()));
}

void FairLayout::fill_up() {
    const std::size_t options = of_option.size() - 1;
    std::size_t width = 0, filled = 0;
    for (std::size_t k = 0; k < options; ++k) {
        width = std::max<std::size_t>(width, of_option[k + 1] - of_option[k]);
        filled += of_option[k + 1] > of_option[k];
    }
    if (filled * width == row.size() ||
        static_cast<double>(filled * width) > kMostFill * static_cast<double>(row.size()))
        return;
    std::vector<std::uint32_t> rows_now, source_now;
    rows_now.reserve(filled * width);
    source_now.reserve(filled * width);
    std::uint32_t from = 0;
    for (std::size_t k = 0; k < options; ++k) {
        const std::uint32_t to = of_option[k + 1], count = to - from;
        rows_now.insert(rows_now.end(), row.begin() + from, row.begin() + to);
        source_now.insert(source_now.end(), source.begin() + from, source.begin() + to);
        if (count > 0) {
            rows_now.resize(rows_now.size() + width - count, row[to - 1]);
            source_now.resize(rows_now.size(), kFill);
        }
        from = to;
        of_option[k + 1] = static_cast<std::uint32_t>(rows_now.size());
    }
    row.swap(rows_now);
    source.swap(source_now);
}

}  // namespace tiertwin::alloc
