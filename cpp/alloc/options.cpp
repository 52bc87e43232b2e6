#include "alloc/options.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::alloc {

namespace {

std::vector<std::uint32_t> offsets(const char* name, std::span<const index_t> given, std::size_t last) {
    if (given.empty() || given.front() != 0 || given.back() != static_cast<index_t>(last))
        throw InvalidArgument(
            std::string(name) + ": expected offsets from 0 to " + std::to_string(last) + ", got " +
            (given.empty() ? "none" : std::to_string(given.front()) + " to " + std::to_string(given.back())));
    if (last > std::numeric_limits<std::uint32_t>::max())
        throw InvalidArgument(std::string(name) + ": at most 4294967295 entries, got " + std::to_string(last));
    std::vector<std::uint32_t> out(given.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (i > 0 && given[i] < given[i - 1])
            throw InvalidArgument(std::string(name) + "[" + std::to_string(i) +
                                  "]: expected offsets that never fall, " + std::to_string(given[i]) + " follows " +
                                  std::to_string(given[i - 1]));
        out[i] = static_cast<std::uint32_t>(given[i]);
    }
    return out;
}

}  // namespace

void refuse_number(const char* name, std::size_t index, const char* expected, double came) {
    throw InvalidArgument(std::string(name) + "[" + std::to_string(index) + "]: expected " + expected + ", got " +
                          std::to_string(came));
}

void require_length(const char* name, std::size_t came, std::size_t expected, const char* of) {
    if (came != expected)
        throw InvalidArgument(std::string(name) + ": expected " + std::to_string(expected) + " numbers, one a " + of +
                              ", got " + std::to_string(came));
}

Options::Options(std::span<const index_t> user_offsets, std::span<const index_t> option_offsets,
                 std::span<const index_t> resource_of, std::span<const double> uses, index_t resource_count)
    : users(static_cast<index_t>(user_offsets.size()) - 1), resources(resource_count) {
    if (resource_count < 0) throw InvalidArgument("resources: expected a count >= 0");
    require_length("use", uses.size(), resource_of.size(), "entry of resource");
    of_option = offsets("option_offsets", option_offsets, resource_of.size());
    of_user = offsets("user_offsets", user_offsets, of_option.size() - 1);
    resource.resize(resource_of.size());
    use.assign(uses.begin(), uses.end());
    for (std::size_t e = 0; e < resource_of.size(); ++e) {
        if (resource_of[e] < 0 || resource_of[e] >= resource_count)
            throw InvalidArgument("resource[" + std::to_string(e) + "]: expected 0.." +
                                  std::to_string(resource_count - 1) + ", got " + std::to_string(resource_of[e]));
        if (!(uses[e] >= 0.0) || !std::isfinite(uses[e])) refuse_number("use", e, "a finite number >= 0", uses[e]);
        resource[e] = static_cast<std::uint32_t>(resource_of[e]);
    }
    order_entries();
}

void Options::order_entries() {
    std::vector<std::pair<std::uint32_t, double>> entries;
    std::uint32_t to = 0;
    for (std::size_t k = 0, from = 0; k < options(); ++k) {
        const std::size_t end = of_option[k + 1];
        entries.clear();
        for (std::size_t e = from; e < end; ++e) entries.emplace_back(resource[e], use[e]);
        const auto below = [](const auto& a, const auto& b) { return a.first < b.first; };
        if (!std::is_sorted(entries.begin(), entries.end(), below))
            std::stable_sort(entries.begin(), entries.end(), below);
        const std::uint32_t first = to;
        for (const auto& [r, amount] : entries) {
            if (to > first && resource[to - 1] == r) {
                use[to - 1] += amount;
                continue;
            }
            resource[to] = r;
            use[to++] = amount;
        }
        from = end;
        of_option[k + 1] = to;
    }
    resource.resize(to);
    use.resize(to);
}

}  // namespace tiertwin::alloc
