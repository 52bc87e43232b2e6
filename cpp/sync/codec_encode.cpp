// From pending cells to frames: rows ascending, cut where the limits say, numbered in body order.
#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "sync/codec.hpp"
#include "sync/codec_bytes.hpp"
#include "sync/codec_write.hpp"

namespace tiertwin::sync {
namespace {

struct Plan {
    EncodeLimits limits;
    std::optional<Lease> lease;
    bool last_flag = false;
};

class DeltaWriter {
  public:
    DeltaWriter(StateTable& table, std::uint64_t number, std::uint32_t incarnation, const Plan& plan)
        : table_(table), next_(number), incarnation_(incarnation), plan_(plan) {}

    std::vector<EncodedDelta> write() {
        for (Column& column : table_.columns()) {
            column.sort_dirty();
            while (!column.dirty().empty()) {
                const bool fits = take(column);
                if (!fits && count_ == 0) return finish();  // a whole frame would not do: the credit is used up
                if (!fits) seal_frame();
            }
        }
        seal_frame();
        return finish();
    }

  private:
    std::vector<EncodedDelta> finish() {
        if (plan_.last_flag && !out_.empty()) {
            Frame& last = out_.back().frame;
            store(last.data() + 6, static_cast<std::uint16_t>(load<std::uint16_t>(last.data() + 6) | kFlagLast));
            restamp(last, incarnation_, false);
        }
        return std::move(out_);
    }

    // Room in the frame under construction, a new one included if credit allows.
    [[nodiscard]] std::size_t room() const {
        const std::size_t frame = frame_.empty() ? prefix_bytes() : frame_.size();
        if (frame_.empty() && out_.size() >= plan_.limits.frames) return 0;
        const std::size_t left = plan_.limits.total_bytes - spent_;
        const std::size_t limit = std::min({plan_.limits.frame_bytes, kMaxFrameBytes, left});
        return limit > frame ? limit - frame : 0;
    }
    [[nodiscard]] std::size_t prefix_bytes() const { return kHeaderBytes + (plan_.lease ? kLeaseBytes : 0); }

    // As many dirty cells of the column as go into one block of this frame; false if none does.
    bool take(Column& column) {
        const BlockPlan block = plan_block(column, column.dirty(), room());
        if (block.n == 0) return false;
        if (frame_.empty()) {
            frame_.resize(kHeaderBytes);
            if (plan_.lease) append(frame_, *plan_.lease);
        }
        write_block(frame_, column, column.dirty(), block);
        column.settle(block.n, next_ + count_);
        count_ += static_cast<std::uint32_t>(block.n);
        return true;
    }

    void seal_frame() {
        if (count_ == 0) return;
        seal(frame_, Header{.kind = Kind::delta,
                            .table = table_.table_id(),
                            .count = count_,
                            .incarnation = incarnation_,
                            .number = next_,
                            .fingerprint = table_.fingerprint()});
        spent_ += frame_.size();
        out_.push_back({std::move(frame_), next_, count_});
        frame_ = {};
        next_ += count_;
        count_ = 0;
    }

    StateTable& table_;
    std::uint64_t next_;
    std::uint32_t incarnation_;
    const Plan& plan_;
    Frame frame_;
    std::uint32_t count_ = 0;
    std::size_t spent_ = 0;
    std::vector<EncodedDelta> out_;
};

void check_number(std::uint64_t number, index_t pending) {
    if (number == 0 || number + static_cast<std::uint64_t>(pending) < number) {
        throw InvalidArgument("expected a first number of at least 1 with room for " + std::to_string(pending) +
                              " records below 2^64, got " + std::to_string(number));
    }
}

}  // namespace

std::vector<EncodedDelta> encode_delta(StateTable& table, std::uint64_t number, std::uint32_t incarnation,
                                       const EncodeLimits& limits) {
    check_number(number, table.dirty_count());
    if (table.table_id() == kBudget) throw InvalidArgument("table budget goes out leased: use encode_unit");
    return DeltaWriter(table, number, incarnation, Plan{.limits = limits, .lease = {}}).write();
}

std::vector<EncodedDelta> encode_unit(StateTable& table, std::uint64_t number, std::uint32_t incarnation,
                                      const std::optional<Lease>& lease, bool plan, std::size_t frame_bytes) {
    check_number(number, table.dirty_count());
    if (lease.has_value() != (table.table_id() == kBudget)) {
        throw InvalidArgument("table " + std::to_string(table.table_id()) +
                              (lease ? ": only budget is leased" : ": a budget needs its lease"));
    }
    if (!plan) {
        StateTable trial = table.fork();
        Plan whole{.limits = {.frame_bytes = frame_bytes}, .lease = lease};
        if (DeltaWriter(trial, number, incarnation, whole).write().size() > 1 || trial.dirty_count() != 0) {
            throw InvalidArgument("unit of table " + std::to_string(table.table_id()) + ": expected at most " +
                                  std::to_string(frame_bytes) + " bytes, as it goes in one frame");
        }
    }
    const Plan options{.limits = {.frame_bytes = frame_bytes}, .lease = lease, .last_flag = plan};
    return DeltaWriter(table, number, incarnation, options).write();
}

}  // namespace tiertwin::sync
