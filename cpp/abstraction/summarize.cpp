#include "abstraction/summarize.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/error.hpp"

namespace tiertwin::abstraction {
namespace {

using Groups = std::vector<std::uint32_t>;

// Value and time of a cell by row, without a search a row.
class SourceReader {
  public:
    SourceReader(const StateTable& table, index_t attribute) {
        const Column* column = attribute <= 0xffff ? table.find(static_cast<AttributeId>(attribute)) : nullptr;
        if (column == nullptr) {
            throw NotFound("The members' table " + std::to_string(table.table_id()) + " has no attribute " +
                           std::to_string(attribute) + " to summarise");
        }
        if (column->attribute().type == ValueType::bytes) {
            throw InvalidArgument("Attribute '" + column->attribute().name + "' holds bytes; those cannot be merged");
        }
        for (index_t b = 0; b < column->block_count(); ++b) blocks_.push_back(column->block(b));
        column_ = column;
    }

    [[nodiscard]] double value(std::uint32_t row) const {  // NaN: unwritten
        const index_t b = column_->block_of(row);
        const Block* block = blocks_[static_cast<std::size_t>(b)];
        return block == nullptr ? std::numeric_limits<double>::quiet_NaN()
                                : block->values()[row - column_->first_row(b)];
    }
    [[nodiscard]] Time time(std::uint32_t row) const {
        const index_t b = column_->block_of(row);
        return blocks_[static_cast<std::size_t>(b)]->time(row - column_->first_row(b));
    }

  private:
    const Column* column_ = nullptr;
    std::vector<const Block*> blocks_;
};

// One call: which groups are merged, and the columns that come of it.
class Pass {
  public:
    Pass(const StateTable& members, const Partition& partition, const Groups* touched, StateTable& out, Time now,
         bool deadband)
        : members_(members), partition_(partition), touched_(touched), out_(out), now_(now), deadband_(deadband) {
        if (touched == nullptr) {
            all_.resize(static_cast<std::size_t>(partition.groups()));
            std::iota(all_.begin(), all_.end(), 0U);
        }
    }

    index_t run(const PlanEntry& entry);

  private:
    using Column = std::vector<double>;

    [[nodiscard]] SourceReader read(index_t attribute) const { return {members_, attribute}; }
    [[nodiscard]] Column column(double start) const {
        return Column(static_cast<std::size_t>(partition_.groups()), start);
    }

    // f(group, row) for every member of every group at hand, ascending rows within a group.
    template <typename F>
    void each(F&& f) const {
        if (touched_ == nullptr) {
            const auto rows = static_cast<std::uint32_t>(partition_.rows());
            for (std::uint32_t row = 0; row < rows; ++row) {
                const std::int32_t group = partition_.group_of(row);
                if (group >= 0) f(static_cast<std::size_t>(group), row);
            }
            return;
        }
        for (const std::uint32_t group : *touched_) {
            for (const std::uint32_t row : partition_.members(group)) f(group, row);
        }
    }

    // Writes one column; NaN means that the group has nothing to say.
    index_t write(index_t attribute, const Column& values) { return write(attribute, values, deadband_); }

    index_t write(index_t attribute, const Column& values, bool deadband) {
        const Groups& groups = touched_ != nullptr ? *touched_ : all_;
        rows_.clear();
        values_.clear();
        for (const std::uint32_t group : groups) {
            const double value = values[group];
            if (std::isnan(value)) continue;
            rows_.push_back(group);
            values_.push_back(value);
        }
        if (rows_.empty()) return 0;
        return out_.set(static_cast<AttributeId>(attribute), rows_, values_, now_, deadband);
    }

    index_t sum(index_t source, index_t target);
    index_t weighted(const PlanEntry& entry);
    index_t extreme(const PlanEntry& entry);
    index_t logic(const PlanEntry& entry);
    index_t moments(const PlanEntry& entry);
    index_t histogram(const PlanEntry& entry);
    index_t oldest(const PlanEntry& entry);

    const StateTable& members_;
    const Partition& partition_;
    const Groups* touched_;
    StateTable& out_;
    Time now_;
    bool deadband_;
    Groups all_, rows_;
    Column values_;
};

// Sum and what rounding took from it (Knuth's two-sum: exact, without a branch).
struct Compensated {
    double sum = 0.0, lost = 0.0;
    void add(double x) {
        const double next = sum + x;
        const double part = next - sum;
        lost += (sum - (next - part)) + (x - part);
        sum = next;
    }
    [[nodiscard]] double value() const { return sum + lost; }
};

index_t Pass::sum(index_t source, index_t target) {
    const SourceReader x = read(source);
    std::vector<Compensated> total(static_cast<std::size_t>(partition_.groups()));
    each([&](std::size_t group, std::uint32_t row) {
        const double value = x.value(row);
        total[group].add(std::isnan(value) ? 0.0 : value);
    });
    Column sums = column(0.0);
    std::transform(total.begin(), total.end(), sums.begin(), [](const Compensated& c) { return c.value(); });
    return write(target, sums);
}

index_t Pass::weighted(const PlanEntry& entry) {
    if (entry.partial) return sum(entry.source, entry.target) + sum(entry.source + 1, entry.target + 1);
    const SourceReader x = read(entry.source);
    const std::optional<SourceReader> w = entry.weight ? std::optional(read(*entry.weight)) : std::nullopt;
    std::vector<Compensated> products(static_cast<std::size_t>(partition_.groups())), weights = products;
    each([&](std::size_t group, std::uint32_t row) {
        const double value = x.value(row);
        const double weight = w ? w->value(row) : 1.0;
        if (std::isnan(value) || std::isnan(weight)) return;
        products[group].add(weight * value);
        weights[group].add(weight);
    });
    Column first = column(0.0), second = first;
    for (std::size_t g = 0; g < first.size(); ++g) {
        first[g] = products[g].value();
        second[g] = weights[g].value();
    }
    return write(entry.target, first) + write(entry.target + 1, second);
}

index_t Pass::extreme(const PlanEntry& entry) {
    const SourceReader x = read(entry.source);
    const bool smallest = entry.rule == Rule::min;
    Column best = column(entry.rule == Rule::largest ? 0.0 : std::numeric_limits<double>::quiet_NaN());
    each([&](std::size_t group, std::uint32_t row) {
        const double value = x.value(row);
        if (std::isnan(value)) return;
        double& b = best[group];
        if (std::isnan(b) || (smallest ? value < b : value > b)) b = value;
    });
    return write(entry.target, best);
}

index_t Pass::logic(const PlanEntry& entry) {
    const SourceReader x = read(entry.source);
    const bool any = entry.rule == Rule::any;
    Column truth = column(any ? 0.0 : 1.0);
    each([&](std::size_t group, std::uint32_t row) {
        const double value = x.value(row);
        if (std::isnan(value)) return;
        if (any ? value != 0.0 : value == 0.0) truth[group] = any ? 1.0 : 0.0;
    });
    return write(entry.target, truth);
}

index_t Pass::moments(const PlanEntry& entry) {
    const SourceReader first = read(entry.source);
    const std::optional<SourceReader> second = entry.partial ? std::optional(read(entry.source + 1)) : std::nullopt;
    const std::optional<SourceReader> third = entry.partial ? std::optional(read(entry.source + 2)) : std::nullopt;
    Column count = column(0.0), mean = count, m2 = count;
    each([&](std::size_t g, std::uint32_t row) {
        const double x = first.value(row);
        if (std::isnan(x)) return;
        const double n = entry.partial ? x : 1.0;  // a raw value is a part of one with M2 = 0
        if (!(n > 0.0)) return;
        const double total = count[g] + n;
        const double step = (entry.partial ? second->value(row) : x) - mean[g];
        m2[g] += (entry.partial ? third->value(row) : 0.0) + step * step * (count[g] * n / total);
        mean[g] += step * (n / total);
        count[g] = total;
    });
    return write(entry.target, count) + write(entry.target + 1, mean) + write(entry.target + 2, m2);
}

index_t Pass::histogram(const PlanEntry& entry) {
    const LogBuckets buckets(entry.low, entry.high);
    index_t written = 0;
    if (entry.partial) {
        for (index_t b = 0; b < buckets.count(); ++b) written += sum(entry.source + b, entry.target + b);
        return written;
    }
    const SourceReader x = read(entry.source);
    std::vector<Column> counts(static_cast<std::size_t>(buckets.count()), column(0.0));
    each([&](std::size_t group, std::uint32_t row) {
        const double value = x.value(row);
        if (!std::isnan(value)) counts[static_cast<std::size_t>(buckets.index(value))][group] += 1.0;
    });
    for (index_t b = 0; b < buckets.count(); ++b) {
        written += write(entry.target + b, counts[static_cast<std::size_t>(b)]);
    }
    return written;
}

index_t Pass::oldest(const PlanEntry& entry) {
    const SourceReader x = read(entry.source);
    Column age_ms = column(std::numeric_limits<double>::quiet_NaN());
    each([&](std::size_t group, std::uint32_t row) {
        const double told = x.value(row);
        if (std::isnan(told)) return;
        const Time since = std::max<Time>(now_ - x.time(row), 0);
        const double age =
            (entry.partial ? told : 0.0) + static_cast<double>(since) / static_cast<double>(kMillisecond);
        if (!(age <= age_ms[group])) age_ms[group] = age;
    });
    return write(entry.target, age_ms, false);  // the same age a while later is news
}

index_t Pass::run(const PlanEntry& entry) {
    switch (entry.rule) {
        case Rule::sum:
            return sum(entry.source, entry.target);
        case Rule::min:
        case Rule::max:
        case Rule::largest:
            return extreme(entry);
        case Rule::moments:
            return moments(entry);
        case Rule::any:
        case Rule::all:
            return logic(entry);
        case Rule::wmean:
            return weighted(entry);
        case Rule::hist:
            return histogram(entry);
        case Rule::oldest:
            return oldest(entry);
    }
    return 0;
}

}  // namespace

index_t PlanEntry::width() const {
    switch (rule) {
        case Rule::moments:
            return 3;
        case Rule::wmean:
            return 2;
        case Rule::hist:
            return LogBuckets(low, high).count();
        default:
            return 1;
    }
}

index_t summarize(const StateTable& members, const Partition& partition, std::span<const PlanEntry> plan,
                  StateTable& out, Time now, bool deadband, std::optional<std::span<const std::uint32_t>> dirty) {
    if (partition.rows() != members.rows() || partition.groups() != out.rows()) {
        throw InvalidArgument("Expected a partition of " + std::to_string(members.rows()) + " rows into " +
                              std::to_string(out.rows()) + " groups (the rows of the two tables), got " +
                              std::to_string(partition.rows()) + " into " + std::to_string(partition.groups()));
    }
    Groups touched;
    if (dirty) touched = partition.groups_of(*dirty);
    Pass pass(members, partition, dirty ? &touched : nullptr, out, now, deadband);
    index_t written = 0;
    for (const PlanEntry& entry : plan) written += pass.run(entry);
    return written;
}

}  // namespace tiertwin::abstraction
