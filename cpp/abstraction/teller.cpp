#include "abstraction/teller.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

// One column at a time: cells of a list mostly follow each other by attribute.
class CellReader {
  public:
    explicit CellReader(const StateTable& table) : table_(table) {}

    void go(AttributeId attribute, std::uint32_t row) {
        if (column_ == nullptr || column_->attribute().id != attribute) find(attribute);
        if (row >= table_.rows()) {
            throw InvalidArgument("Table " + std::to_string(table_.table_id()) + ": expected a row below " +
                                  std::to_string(table_.rows()) + " to tell, got " + std::to_string(row));
        }
        const index_t b = column_->block_of(row);
        block_ = column_->block(b);
        at_ = static_cast<index_t>(row) - column_->first_row(b);
    }
    [[nodiscard]] double value() const {
        return block_ == nullptr ? std::numeric_limits<double>::quiet_NaN() : block_->values()[at_];
    }
    [[nodiscard]] Time time() const { return block_ == nullptr ? kNever : block_->time(at_); }

  private:
    void find(AttributeId attribute) {
        column_ = table_.find(attribute);
        if (column_ == nullptr || column_->holds_bytes()) {
            throw NotFound("Table " + std::to_string(table_.table_id()) + " has no numbers of attribute " +
                           std::to_string(attribute) + " to tell");
        }
    }

    const StateTable& table_;
    const Column* column_ = nullptr;
    const Block* block_ = nullptr;
    index_t at_ = 0;
};

}  // namespace

Teller::Teller(std::vector<Tellable> cells) : cells_(std::move(cells)), worth_(cells_.size(), 0.0) {
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Tellable& cell = cells_[i];
        if (!std::isfinite(cell.prior)) {
            throw InvalidArgument("Cell " + std::to_string(i) + ": expected a finite prior, got " +
                                  std::to_string(cell.prior));
        }
        if (std::isfinite(cell.band) && cell.band >= 0 && std::isfinite(cell.share) && cell.share >= 0) continue;
        throw InvalidArgument("Cell " + std::to_string(i) + ": expected a band and a share finite and >= 0, got " +
                              std::to_string(cell.band) + " and " + std::to_string(cell.share));
    }
}

void Teller::want(std::span<const double> worth) {
    if (worth.size() != cells_.size()) {
        throw InvalidArgument("Expected " + std::to_string(cells_.size()) + " worths, one a cell, got " +
                              std::to_string(worth.size()));
    }
    for (std::size_t i = 0; i < worth.size(); ++i) {
        if (!(worth[i] >= 0.0)) {
            throw InvalidArgument("Cell " + std::to_string(i) + ": expected a worth >= 0, got " +
                                  std::to_string(worth[i]));
        }
    }
    worth_.assign(worth.begin(), worth.end());
}

void Teller::compare(const StateTable& from, const StateTable& to) {
    CellReader source(from), target(to);
    moved_.clear();
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        const Tellable& cell = cells_[i];
        if (worth_[i] == 0.0) continue;
        source.go(cell.attribute, cell.source);
        target.go(cell.attribute, cell.target);
        const double x = source.value();
        if (!std::isfinite(x) || source.time() <= target.time()) continue;
        const double told = target.time() == kNever ? cell.prior : target.value();
        const double apart = std::abs(x - told);
        if (!(apart > cell.band + cell.share * std::abs(told))) continue;
        moved_.push_back({worth_[i] * apart * apart, i});
    }
}

Told Teller::choose(double budget, double price) {
    std::sort(moved_.begin(), moved_.end(), [](const Candidate& a, const Candidate& b) {
        return a.worth > b.worth || (a.worth == b.worth && a.cell < b.cell);
    });
    Told told;
    chosen_.clear();
    opened_.clear();
    for (const Candidate& candidate : moved_) {
        const AttributeId attribute = cells_[candidate.cell].attribute;
        const bool opens = std::find(opened_.begin(), opened_.end(), attribute) == opened_.end();
        const double own = kCellBytes + (opens ? kBlockBytes : 0.0);
        const double cost = own + (chosen_.empty() ? kFrameBytes : 0.0);
        if (told.bytes + cost > budget || candidate.worth < price * own) {
            ++told.waiting;
            continue;
        }
        told.bytes += cost;
        told.worth += candidate.worth;
        if (opens) opened_.push_back(attribute);
        chosen_.push_back(candidate.cell);
    }
    if (told.worth < price * told.bytes) {
        told = {0, told.waiting + static_cast<index_t>(chosen_.size()), 0.0, 0.0};
        chosen_.clear();
    }
    told.cells = static_cast<index_t>(chosen_.size());
    std::sort(chosen_.begin(), chosen_.end());
    return told;
}

void Teller::write(const StateTable& from, StateTable& to) {
    CellReader source(from);
    std::vector<std::uint32_t> rows;
    std::vector<double> values;
    std::vector<Time> times;
    for (std::size_t i = 0; i < chosen_.size();) {
        const AttributeId attribute = cells_[chosen_[i]].attribute;
        rows.clear();
        values.clear();
        times.clear();
        for (; i < chosen_.size() && cells_[chosen_[i]].attribute == attribute; ++i) {
            const Tellable& cell = cells_[chosen_[i]];
            source.go(attribute, cell.source);
            rows.push_back(cell.target);
            values.push_back(source.value());
            times.push_back(source.time());
        }
        to.set(attribute, rows, values, times);
    }
}

Told Teller::tell(const StateTable& from, StateTable& to, double budget, double price) {
    if (!(budget >= 0.0)) {
        throw InvalidArgument("Expected a budget >= 0 bytes, got " + std::to_string(budget));
    }
    if (!(price >= 0.0)) {
        throw InvalidArgument("Expected a price >= 0 of a byte, got " + std::to_string(price));
    }
    compare(from, to);
    const Told told = choose(budget, price);
    write(from, to);
    return told;
}

}  // namespace tiertwin::abstraction
