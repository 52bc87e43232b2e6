// Tells what is worth its bytes: of the cells that moved, those whose error would cost the listener most.
//
//   moved     |x - told| > band + share · |told|, later than what was told, finite; a cell never told counts as told
//   its
//             prior: what the listener believes before it hears anything
//   worth     w · (x - told)²: an error costs the decisions of the listener in proportion to its square, w of each cell
//   is
//             what the listener asked for (its subscription); w = 0: it does not want to know
//   budget    bytes of this telling. Cells are taken in falling worth, ties by their place in the list, as long as they
//   fit;
//             a cell costs kCellBytes, the first of an attribute kBlockBytes more, the first of all kFrameBytes more
//   price     of a byte, in the unit of w · x²: cells worth less than their bytes wait, and all of them do if together
//             they are worth less than their frame; 0: bytes are free within the budget
//
// What the target holds is what was told, so nothing else is remembered: a cell that did not fit is taken up again next
// time with whatever it is then.
//
// Costs           O(cells) to compare, O(moved · log moved) to choose; nothing is allocated once it ran
// Thread safety   one thread
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "state/table.hpp"

namespace tiertwin::abstraction {

inline constexpr double kFrameBytes = 40.0, kBlockBytes = 16.0, kCellBytes = 16.0;  // wire-format.md: row, time, value

// One cell: what is read where, where it is told, and how far it may move unsaid.
struct Tellable {
    AttributeId attribute = 0;
    std::uint32_t source = 0, target = 0;
    double band = 0.0, share = 0.0;
    double prior = 0.0;
};

struct Told {
    index_t cells = 0;    // told now
    index_t waiting = 0;  // moved and wanted, but did not fit
    double bytes = 0.0;   // what they cost
    double worth = 0.0;   // sum over the cells told
};

class Teller {
  public:
    // Bands and shares finite and >= 0, priors finite (InvalidArgument, with the place of the cell).
    explicit Teller(std::vector<Tellable> cells);

    [[nodiscard]] index_t size() const { return static_cast<index_t>(cells_.size()); }
    // One a cell, >= 0, infinity allowed (before everything else); InvalidArgument.
    void want(std::span<const double> worth);
    [[nodiscard]] std::span<const double> wanted() const { return worth_; }

    // Budget >= 0 or infinite, price >= 0. NotFound: an attribute a table does not have; InvalidArgument: a row beyond
    // it.
    Told tell(const StateTable& from, StateTable& to, double budget, double price = 0.0);

  private:
    struct Candidate {
        double worth;
        std::size_t cell;
    };
    void compare(const StateTable& from, const StateTable& to);
    Told choose(double budget, double price);
    void write(const StateTable& from, StateTable& to);

    std::vector<Tellable> cells_;
    std::vector<double> worth_;
    std::vector<Candidate> moved_;
    std::vector<std::size_t> chosen_;
    std::vector<AttributeId> opened_;
};

}  // namespace tiertwin::abstraction
