#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "attributes.hpp"
#include "base/error.hpp"
#include "state/table.hpp"

namespace state_test {

using namespace tiertwin;
using tiertwin::tests::attribute;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

AttributeRegistry registry() {
    AttributeRegistry out;
    out.add(attribute(1));
    out.add(attribute(2, ValueType::f32));
    out.add(attribute(3, ValueType::i64));
    out.add(attribute(4, ValueType::u32));
    out.add(attribute(9, ValueType::bytes));
    return out;
}

StateTable table(index_t rows = 10'000) { return {registry(), 1, {1, 2, 3, 4, 9}, rows}; }

void set(StateTable& t, AttributeId a, std::uint32_t row, double value, Time time = 1000) {
    t.set(a, std::vector<std::uint32_t>{row}, std::vector<double>{value}, time);
}

}  // namespace

TEST_CASE("a registry cuts ranges to what the type can hold, so that in range implies finite and exact") {
    const AttributeRegistry r = registry();
    CHECK(r.get(1).high == std::numeric_limits<double>::max());
    CHECK(r.get(2).high == static_cast<double>(std::numeric_limits<float>::max()));
    CHECK(r.get(3).low == -kMaxExactInteger);
    CHECK(r.get(4).low == 0.0);
    CHECK(r.get("a4").id == 4);
    CHECK(r.find(77) == nullptr);
    CHECK_THROWS_AS((void)r.get(77), NotFound);
}

TEST_CASE("a registry is additive: ids and names are taken once, and nonsense is refused") {
    AttributeRegistry r = registry();
    CHECK_THROWS_AS(r.add(attribute(1)), InvalidArgument);
    Attribute same_name = attribute(50);
    same_name.name = "a1";
    CHECK_THROWS_AS(r.add(same_name), InvalidArgument);
    Attribute empty = attribute(51);
    empty.low = 2;
    empty.high = 1;
    CHECK_THROWS_AS(r.add(empty), InvalidArgument);
    empty.high = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(r.add(empty), InvalidArgument);
    Attribute kind = attribute(52);
    kind.kind = "gouge";
    CHECK_THROWS_AS(r.add(kind), InvalidArgument);
    Attribute negative = attribute(53, ValueType::u32);
    negative.high = -1;
    CHECK_THROWS_AS(r.add(negative), InvalidArgument);
    CHECK(r.ids().size() == 5);
}

TEST_CASE("a fingerprint does not depend on the order of add, and extensions stay out of it") {
    AttributeRegistry a;
    AttributeRegistry b;
    a.add(attribute(1));
    a.add(attribute(2));
    b.add(attribute(2));
    b.add(attribute(1));
    CHECK(a.fingerprint() == b.fingerprint());
    Attribute extension = attribute(3);
    extension.extension = true;
    b.add(extension);
    CHECK(a.fingerprint() == b.fingerprint());
    b.add(attribute(4));
    CHECK(a.fingerprint() != b.fingerprint());
}

TEST_CASE("times are rounded to whole microseconds, ties away from zero") {
    CHECK(round_to_microsecond(1'499) == 1'000);
    CHECK(round_to_microsecond(1'500) == 2'000);
    CHECK(round_to_microsecond(-1'499) == -1'000);
    CHECK(round_to_microsecond(-1'500) == -2'000);
    CHECK(round_to_microsecond(0) == 0);
}

TEST_CASE("a written cell is rounded to its wire type, pending, and not in the digest until it is numbered") {
    StateTable t = table();
    set(t, 2, 4095, 0.1);
    CHECK(t.value(2, 4095) == static_cast<double>(0.1F));
    CHECK(t.number(2, 4095) == 0);
    CHECK(t.dirty_count() == 1);
    CHECK(t.digest() == 0);
    CHECK(t.settle(7) == 1);
    CHECK(t.number(2, 4095) == 7);
    CHECK(t.digest() == cell_hash(column_key(1, 2), 4095, 1000, canonical_bits(static_cast<double>(0.1F))));
    CHECK(t.value(2, 4096) != t.value(2, 4096));  // NaN: nobody wrote
    CHECK(t.time(2, 4096) == kNever);
}

TEST_CASE("a bad write writes nothing") {
    StateTable t = table(10);
    const std::vector<std::uint32_t> rows{0, 10};
    const std::vector<double> values{1.0, 2.0};
    CHECK_THROWS_AS(t.set(1, rows, values, 0), InvalidArgument);
    CHECK(t.dirty_count() == 0);
    CHECK_THROWS_AS(set(t, 1, 0, kInfinity), InvalidArgument);
    CHECK_THROWS_AS(set(t, 1, 0, std::numeric_limits<double>::quiet_NaN()), InvalidArgument);
    CHECK_THROWS_AS(set(t, 2, 0, 1e300), InvalidArgument);
    CHECK_THROWS_AS(set(t, 3, 0, 0.5), InvalidArgument);
    CHECK_THROWS_AS(set(t, 3, 0, kMaxExactInteger + 2), InvalidArgument);
    CHECK_THROWS_AS(set(t, 4, 0, -1.0), InvalidArgument);
    CHECK_THROWS_AS(set(t, 5, 0, 1.0), NotFound);
    CHECK_THROWS_AS(set(t, 9, 0, 1.0), InvalidArgument);
    CHECK_THROWS_AS(set(t, 1, 0, 1.0, 9'100'000'000'000'000'000), InvalidArgument);
    CHECK_THROWS_AS(t.set_bytes(9, 0, std::string(1025, 'x'), 0), InvalidArgument);
    CHECK_THROWS_AS(t.set_bytes(1, 0, "x", 0), InvalidArgument);
    CHECK_THROWS_AS(t.set(1, rows, std::vector<double>{1.0}, 0), InvalidArgument);
    CHECK(t.dirty_count() == 0);
}

TEST_CASE("a pending cell counts in the digest with its last numbered record") {
    StateTable t = table();
    set(t, 1, 5, 1.0);
    t.set_bytes(9, 3, "one", 0);
    t.settle(1);
    const std::uint64_t sent = t.digest();
    set(t, 1, 5, 2.0);
    set(t, 1, 5, 3.0);
    set(t, 1, 6, 3.0);
    t.set_bytes(9, 3, "two", 0);
    CHECK(t.digest() == sent);
    t.settle(3);
    CHECK(t.digest() != sent);
    set(t, 1, 5, 1.0);
    t.set_bytes(9, 3, "one", 0);
    set(t, 1, 6, -0.0);
    t.settle(6);
    CHECK(t.digest() == sent + cell_hash(column_key(1, 1), 6, 1000, canonical_bits(0.0)));
}

TEST_CASE("a dirty list, not a scan: numbers follow (attribute, row) whatever the order of writing") {
    StateTable t = table();
    set(t, 4, 1, 1.0);
    set(t, 1, 9'000, 1.0);
    set(t, 1, 2, 1.0);
    set(t, 1, 2, 5.0);
    CHECK(t.dirty_count() == 3);
    t.settle(1);
    CHECK(t.number(1, 2) == 1);
    CHECK(t.number(1, 9'000) == 2);
    CHECK(t.number(4, 1) == 3);
}

TEST_CASE("a fork shares blocks until one side writes, and then only that block is copied") {
    StateTable t = table();
    set(t, 1, 0, 1.0);
    set(t, 1, 9'999, 1.0);
    t.settle(1);
    StateTable fork = t.fork();
    CHECK(fork.equal(t));
    CHECK(fork.find(1)->block(0) == t.find(1)->block(0));
    set(fork, 1, 0, 2.0);
    CHECK(fork.find(1)->block(0) != t.find(1)->block(0));
    CHECK(fork.find(1)->block(2) == t.find(1)->block(2));
    CHECK(t.value(1, 0) == 1.0);
    CHECK_FALSE(fork.equal(t));
    set(fork, 1, 0, 1.0);
    CHECK(fork.equal(t));
    CHECK(t.find(1)->block(1) == nullptr);  // never written, never made
}

TEST_CASE("a stamp stands for the times and numbers of whole chunks, and nobody can tell") {
    Block stamped(200);  // three whole chunks and 8 rows
    Block plain(200);
    const auto both = [&](index_t first, index_t n, Time time, std::uint64_t number) {
        std::fill_n(stamped.values() + first, n, 1.5);
        stamped.stamp(first, n, time, number);
        for (index_t i = 0; i < n; ++i) {
            const Block::Cell cell = plain.cell(first + i);
            cell.value = 1.5;
            cell.time = time;
            cell.number = number + static_cast<std::uint64_t>(i);
            plain.touch(first + i, first + i);
        }
        CHECK(stamped.digest(99, 4096) == plain.digest(99, 4096));
    };
    both(0, 200, 1000, 1);
    both(10, 60, 2000, 201);  // parts of two stamped chunks
    both(64, 64, 3000, 261);  // exactly one
    both(127, 3, 4000, 325);  // across a border
    both(192, 8, 5000, 328);  // the end, which is no whole chunk
    const Block copy(stamped);
    CHECK(copy.digest(99, 4096) == plain.digest(99, 4096));
    for (index_t i = 0; i < 200; ++i) {
        CHECK(stamped.times()[i] == plain.times()[i]);
        CHECK(stamped.numbers()[i] == plain.numbers()[i]);
        CHECK(copy.times()[i] == plain.times()[i]);
    }
    CHECK(stamped.newest == 335);
    CHECK(stamped.adjust(3, 5));
    stamped.touch(3, 3);
    CHECK_FALSE(stamped.adjust(3, 5));
    CHECK(stamped.digest(99, 4096) == plain.digest(99, 4096));
}

TEST_CASE("times and numbers take room only where no stamp says them") {
    Block block(200);
    const auto run = [&](index_t first, index_t n, Time time, std::uint64_t number) {
        std::fill_n(block.values() + first, n, 1.5);
        block.stamp(first, n, time, number);
    };
    CHECK(block.compacted());
    CHECK(block.time(0) == kNever);
    CHECK(block.number(199) == 0);
    run(0, 70, 1000, 1);  // 6 rows into the second chunk, and nobody wrote the others
    CHECK(block.compacted());
    CHECK(block.time(69) == 1000);
    CHECK(block.number(69) == 70);
    CHECK(block.time(70) == kNever);
    CHECK(block.number(70) == 0);
    run(3, 2, 2000, 71);
    CHECK_FALSE(block.compacted());
    CHECK(block.time(2) == 1000);
    CHECK(block.time(4) == 2000);
    CHECK(block.number(5) == 6);
    const std::uint64_t digest = block.digest(99, 0);
    block.compact();  // two times in one chunk
    CHECK_FALSE(block.compacted());
    run(0, 200, 3000, 73);
    CHECK(block.compacted());
    CHECK(block.number(199) == 272);
    CHECK(block.digest(99, 0) != digest);
    std::vector<Time> times(200);
    std::vector<std::uint64_t> numbers(200);
    block.copy_times(times.data(), times.size());
    block.copy_numbers(numbers.data(), numbers.size());
    CHECK(std::equal(times.begin(), times.end(), std::as_const(block).times()));
    CHECK(std::equal(numbers.begin(), numbers.end(), std::as_const(block).numbers()));
}

TEST_CASE("compacting a table gives memory up and changes no cell, whoever writes before or after") {
    std::vector<std::uint32_t> rows(300);
    std::iota(rows.begin(), rows.end(), 0U);
    StateTable t = table(300);
    StateTable other = table(300);
    std::uint64_t next = 1;
    const auto both = [&](AttributeId a, std::span<const std::uint32_t> some, double value, Time time, bool number) {
        for (StateTable* each : {&t, &other}) each->set(a, some, std::vector<double>(some.size(), value), time);
        if (number) {
            (void)other.settle(next);
            next += static_cast<std::uint64_t>(t.settle(next));
        }
        t.compact();
        CHECK(t.equal(other));
        CHECK(t.digest() == other.digest());
        for (const std::uint32_t row : rows) CHECK(t.number(a, row) == other.number(a, row));
    };
    const auto compacted = [&](AttributeId a, index_t b) { return t.find(a)->block(b)->compacted(); };
    both(1, rows, 1.0, 1000, true);
    CHECK((compacted(1, 0) && compacted(1, 1) && compacted(1, 2)));
    CHECK_FALSE(other.find(1)->block(0)->compacted());
    both(3, std::span(rows).first(5), 2.0, 1000, true);  // a few rows at the beginning
    CHECK(compacted(3, 0));
    both(4, std::span(rows).subspan(2, 3), 2.0, 1000, true);  // no run from a chunk's first row
    CHECK_FALSE(compacted(4, 0));
    both(1, rows, 3.0, 2000, false);  // pending: has no numbers yet
    CHECK_FALSE(compacted(1, 0));
    both(1, std::span(rows).first(1), 4.0, 3000, true);
    CHECK_FALSE(compacted(1, 0));
    CHECK(compacted(1, 1));
    const StateTable fork = t.fork();
    both(1, rows, 5.0, 4000, true);
    CHECK(compacted(1, 0));
    CHECK(fork.value(1, 0) == 4.0);
    CHECK(fork.time(1, 299) == 2000);
}

TEST_CASE("equality sees values and times, -0.0 equals 0, numbers may differ") {
    StateTable a = table(100);
    StateTable b = table(100);
    set(a, 1, 3, 0.0);
    set(b, 1, 3, -0.0);
    a.settle(1);
    b.settle(50);
    CHECK(a.equal(b));
    CHECK(a.digest() == b.digest());
    set(b, 1, 3, 0.0, 2000);
    CHECK_FALSE(a.equal(b));
    CHECK_FALSE(a.equal(table(101)));
    CHECK(table(100).equal(a.empty_like()));
}

TEST_CASE("the dead-band keeps small moves back until half the age bound is over") {
    AttributeRegistry r;
    Attribute a = attribute(1);
    a.deadband = 0.5;
    a.max_age_ms = 2000;
    r.add(a);
    StateTable t(r, 1, {1}, 2);
    const std::vector<std::uint32_t> rows{0, 1};
    const std::vector<double> first{1.0, 2.0};
    CHECK(t.set(1, rows, first, 0, true) == 2);
    const std::vector<double> near{1.5, 2.6};
    CHECK(t.set(1, rows, near, kMillisecond, true) == 1);
    CHECK(t.value(1, 0) == 1.0);
    CHECK(t.value(1, 1) == 2.6);
    CHECK(t.set(1, rows, near, 1001 * kMillisecond, true) == 2);
    CHECK(t.set(1, rows, near, 1001 * kMillisecond) == 2);
}

TEST_CASE("unknown attributes find room, but not without bound") {
    StateTable t = table(4);
    for (std::size_t i = 0; i < kMaxOpaque; ++i) t.add_opaque(static_cast<AttributeId>(100 + i), ValueType::f64);
    CHECK_THROWS_AS(t.add_opaque(500, ValueType::f64), InvalidArgument);
    CHECK_THROWS_AS(t.add_opaque(1, ValueType::f64), InvalidArgument);
    CHECK(t.opaque().size() == kMaxOpaque);
    CHECK(t.attributes().size() == 5);
    CHECK(t.empty_like().opaque().empty());
}

TEST_CASE("a table of one row and one of a full block fold their digests like any other") {
    for (const index_t rows : {index_t{1}, index_t{64}, kBlockRows, kBlockRows + 1}) {
        StateTable t = table(rows);
        std::vector<std::uint32_t> all(static_cast<std::size_t>(rows));
        std::iota(all.begin(), all.end(), 0U);
        const std::vector<double> values(all.size(), 2.5);
        t.set(1, all, values, 0);
        t.settle(1);
        std::uint64_t expected = 0;
        for (const std::uint32_t row : all) expected += cell_hash(column_key(1, 1), row, 0, canonical_bits(2.5));
        CHECK(t.digest() == expected);
    }
}

}  // namespace state_test
