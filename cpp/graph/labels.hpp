// Distances and last links of a search that may touch few nodes of many: clearing costs nothing.
//
// Thread safety  one thread owns it. Costs: 16 bytes a node, taken once.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/search.hpp"

namespace tiertwin {

class Labels {
  public:
    explicit Labels(index_t nodes) : label_(static_cast<std::size_t>(nodes)) {}

    // Forgets every distance; once in 2^32 searches it clears in earnest.
    void clear() {
        if (++round_ != 0) return;
        label_.assign(label_.size(), {});
        round_ = 1;
    }
    [[nodiscard]] double distance(std::int32_t node) const {
        const Label& label = label_[static_cast<std::size_t>(node)];
        return label.round == round_ ? label.distance : kUnreachable;
    }
    [[nodiscard]] std::int32_t via(std::int32_t node) const { return label_[static_cast<std::size_t>(node)].via; }
    void set(std::int32_t node, double distance, std::int32_t via) {
        label_[static_cast<std::size_t>(node)] = {distance, via, round_};
    }

  private:
    struct Label {
        double distance;
        std::int32_t via;
        std::uint32_t round = 0;
    };
    std::vector<Label> label_;
    std::uint32_t round_ = 0;
};

}  // namespace tiertwin
