// Users, the options each has, and what an option uses of shared resources: the structure of every family here.
//
//   user u has options k in [of_user[u], of_user[u+1]);  option k uses resource[e] at rate use[e], e in [of_option[k],
//   of_option[k+1]).  With rates x_k >= 0: service of u = sum of its x_k, load of r = sum_k use_kr x_k.
//
// An option is a server reached over an uplink and a regional link, or a path of links. A resource named twice in one
// option counts with the sum of its uses.
//
// Thread safety  immutable after construction: share it freely.
// Requires       offsets rising from 0, resources in [0, R), uses finite and >= 0 (InvalidArgument, with the index).
// Cost           O(users + options + entries); 12 bytes an entry.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/types.hpp"

namespace tiertwin::alloc {

class Options {
  public:
    Options(std::span<const index_t> of_user, std::span<const index_t> of_option, std::span<const index_t> resource,
            std::span<const double> use, index_t resources);

    index_t users, resources;
    std::vector<std::uint32_t> of_user, of_option;
    std::vector<std::uint32_t> resource;
    std::vector<double> use;

    [[nodiscard]] std::size_t options() const { return of_option.size() - 1; }

    // sum of weight_r over the entries of option k.
    [[nodiscard]] double priced(std::size_t k, std::span<const double> weight) const {
        double sum = 0.0;
        for (std::size_t e = of_option[k]; e < of_option[k + 1]; ++e) sum += use[e] * weight[resource[e]];
        return sum;
    }
    void add_load(std::size_t k, double rate, std::span<double> load) const {
        for (std::size_t e = of_option[k]; e < of_option[k + 1]; ++e) load[resource[e]] += use[e] * rate;
    }

  private:
    void order_entries();  // resources of an option rise, each once
};

// What is said of a number out of its range: name[index], what was expected, what came.
[[noreturn]] void refuse_number(const char* name, std::size_t index, const char* expected, double came);
void require_length(const char* name, std::size_t came, std::size_t expected, const char* of);

}  // namespace tiertwin::alloc
