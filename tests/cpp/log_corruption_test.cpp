// T4: every byte of a log of 200 records flipped, every length of it, every block lost. What must hold:
//   nothing is recovered that was not written, and what is recovered is a prefix;
//   damage before the last group is refused; in the last group, or behind it, it is cut.
#include <doctest/doctest.h>

#include "log_files.hpp"

namespace log_corruption_test {

using namespace tiertwin;
using namespace tiertwin::log;

namespace {

constexpr std::size_t kRecords = 200, kFrameBytes = 200;  // 216 bytes a record, 43 200 of them

Known two_hundred() {
    Known log;
    Stream random(4, 0, 1);
    for (std::uint64_t n = 1; n <= kRecords; ++n) {
        log.append(delta(n, 1, kFrameBytes));
        if (random.below(4) == 0 || n == kRecords - 5) log.sync();  // groups of 1 to some; the last one of 5
    }
    log.sync();
    return log;
}

// The record that holds a byte of segment 1; -1 in the header, records.size() behind the last one.
std::ptrdiff_t record_at(const Known& log, std::uint64_t byte) {
    if (byte < kFileHeaderBytes) return -1;
    const auto behind = std::ranges::find_if(log.records, [&](const Written& w) { return byte < w.end; });
    return behind - log.records.begin();
}

// Whether what was recovered is exactly the first `n` records.
bool is_prefix(const Known& log, const Recovery& found, std::size_t n) {
    if (found.end.position != n || found.replay.size() != n) return false;
    for (std::size_t i = 0; i < n; ++i) {
        const Place& p = found.replay[i];
        const Written& w = log.records[i];
        if (p.offset != w.offset + kLinkBytes || p.length != w.frame.size()) return false;
    }
    return found.end.streams.next_number() == n + 1;
}

// The verdict on a log whose record `k` is damaged.
void check_damaged(const Known& log, std::ptrdiff_t k, std::uint64_t byte) {
    const Recovery found = recovered(log.folder);
    const auto count = static_cast<std::ptrdiff_t>(log.records.size());
    const std::size_t last_group = log.groups - 1;
    const bool refused = k < 0 || (k < count && log.records[static_cast<std::size_t>(k)].group < last_group);
    if (refused) {
        const bool right = found.action == Action::restart && found.culprit == 0 && found.replay.empty();
        if (!right) FAIL_CHECK("byte " << byte << " of record " << k << " was not refused");
    } else {
        const bool right = found.action == Action::resume && is_prefix(log, found, static_cast<std::size_t>(k)) &&
                           !found.segments[0].ok() && found.dirty_end > found.end.offset;
        if (!right) FAIL_CHECK("byte " << byte << " of record " << k << " was not cut there");
    }
}

}  // namespace

TEST_CASE("log corruption: every byte flipped, one bit and all bits") {
    Known log = two_hundred();
    auto& file = log.folder[1];
    const std::uint64_t end = log.records.back().end + 64;  // and some of the zeros behind
    for (std::uint64_t byte = 0; byte < end; ++byte) {
        for (const unsigned mask : {1U << (byte % 8), 0xffU}) {
            file[byte] = static_cast<std::uint8_t>(file[byte] ^ mask);
            check_damaged(log, record_at(log, byte), byte);
            file[byte] = static_cast<std::uint8_t>(file[byte] ^ mask);
        }
    }
}

TEST_CASE("log corruption: a file of any smaller size is refused") {
    const Known log = two_hundred();
    const Bytes whole = log.folder.at(1);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::vector<Bytes> cut{whole.first(size)};
        const Recovery found = recover({kNode, 0}, cut, {});
        CHECK(found.action == Action::restart);
        CHECK(found.why == (size < kFileHeaderBytes ? Fault::file_short : Fault::file_size));
    }
}

TEST_CASE("log corruption: what never reached the disk, from any byte on, leaves a prefix") {
    const Known log = two_hundred();
    Known torn = log;
    auto& file = torn.folder[1];
    std::uint64_t changed = file.size();  // the first byte that is another now
    std::size_t whole = kRecords;
    for (std::uint64_t byte = log.records.back().end; byte-- > kFileHeaderBytes;) {
        if (file[byte] != 0) changed = byte;
        file[byte] = 0;
        while (whole > 0 && log.records[whole - 1].end > changed) --whole;
        const Recovery found = recovered(torn.folder);
        if (found.action != Action::resume || !is_prefix(log, found, whole)) FAIL_CHECK("zeros from byte " << byte);
    }
}

TEST_CASE("log corruption: a lost block of 512 bytes is damage where a later group began behind it, else cut") {
    const Known log = two_hundred();
    const std::uint64_t end = log.records.back().end;
    for (std::uint64_t block = 512; block < end; block += 512) {
        Known holed = log;
        auto& file = holed.folder[1];
        const auto from = file.begin() + static_cast<std::ptrdiff_t>(block);
        std::fill(from, from + 512, std::uint8_t{0});
        const std::ptrdiff_t k = record_at(log, block);
        const auto& hit = log.records[static_cast<std::size_t>(k)];
        const bool proof = std::ranges::any_of(log.records, [&](const Written& w) {  // its link is whole
            return w.group > hit.group && (&w == log.records.data() || (&w - 1)->group < w.group) &&
                   w.offset >= block + 512;
        });
        const Recovery found = recovered(holed.folder);
        CHECK(found.action == (proof ? Action::restart : Action::resume));
        if (!proof) CHECK(is_prefix(log, found, static_cast<std::size_t>(k)));
    }
}

TEST_CASE("log corruption: records cut out, swapped or written twice are refused") {
    const Known log = two_hundred();
    const std::size_t size = kLinkBytes + kFrameBytes;
    const auto at = [&](std::size_t k) { return static_cast<std::ptrdiff_t>(log.records[k].offset); };
    for (std::size_t k = 10; k < 20; ++k) {
        Known swapped = log, doubled = log, cut = log;
        auto& a = swapped.folder[1];
        std::swap_ranges(a.begin() + at(k), a.begin() + at(k + 1), a.begin() + at(k + 1));
        auto& b = doubled.folder[1];
        std::copy_n(b.begin() + at(k), size, b.begin() + at(k + 1));
        auto& c = cut.folder[1];
        std::copy(c.begin() + at(k + 1), c.begin() + at(kRecords - 1) + static_cast<std::ptrdiff_t>(size),
                  c.begin() + at(k));
        CHECK(recovered(swapped.folder).action == Action::restart);
        CHECK(recovered(doubled.folder).action == Action::restart);
        // every link behind the cut stands at another place than it says: nothing proves a later group
        const Recovery found = recovered(cut.folder);
        CHECK((found.action == Action::restart || is_prefix(log, found, k)));
    }
}

}  // namespace log_corruption_test
