#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "attributes.hpp"
#include "base/error.hpp"
#include "sync/crc32c.hpp"
#include "sync/snapshot.hpp"

namespace sync_codec_test {

using namespace tiertwin;
using namespace tiertwin::sync;
using tiertwin::tests::attribute;

namespace {

AttributeRegistry registry() {
    AttributeRegistry out;
    out.add(attribute(1, ValueType::f64, -100, 100));
    out.add(attribute(2, ValueType::f32, -100, 100));
    out.add(attribute(3, ValueType::i64, -1e300, 1e300));
    out.add(attribute(4, ValueType::u32, 0, 100));
    out.add(attribute(9, ValueType::bytes, 0, 0));
    return out;
}

StateTable table(std::uint16_t id = kTelemetry, index_t rows = 5'000) {
    return {registry(), id, {1, 2, 3, 4, 9}, rows};
}

void fill(StateTable& t, AttributeId a, std::uint32_t first, std::size_t n, double value, Time time = 0) {
    std::vector<std::uint32_t> rows(n);
    std::iota(rows.begin(), rows.end(), first);
    t.set(a, rows, std::vector<double>(n, value), time);
}

Header header_of(const Frame& frame) {
    Header h;
    REQUIRE(decode_header(frame, h).reason == Reason::ok);
    return h;
}

Reason ingest_reason(StateTable& t, const Frame& frame) {
    Header h;
    const Verdict v = decode_header(frame, h);
    return v.ok() ? ingest(t, h, frame, 0).verdict.reason : v.reason;
}

template <typename T>
void poke(Frame& frame, std::size_t at, T value) {
    std::memcpy(frame.data() + at, &value, sizeof value);
}

// A frame of one f64 block (rows 0 and 3), whose parts the cases below spoil one by one.
Frame sample(std::uint64_t number = 1) {
    StateTable t = table();
    t.set(1, std::vector<std::uint32_t>{0, 3, 4}, std::vector<double>{1, 2, 3}, 5000);
    return encode_delta(t, number, 7).front().frame;
}

template <typename T>
Reason spoiled(std::size_t at, T value) {
    Frame frame = sample();
    poke(frame, at, value);
    restamp(frame, 7, false);
    StateTable t = table();
    const Reason reason = ingest_reason(t, frame);
    if (reason != Reason::ok) CHECK(t.equal(table()));
    return reason;
}

}  // namespace

TEST_CASE("crc32c: the check value of RFC 3720, by table and by instruction, in pieces and whole") {
    const std::string digits = "123456789";
    const Bytes data{reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size()};
    CHECK(crc32c(0, data) == 0xe3069283U);
    CHECK(crc32c_software(0, data) == 0xe3069283U);
    std::vector<std::uint8_t> big(20'000);
    for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<std::uint8_t>(i * i >> 3U);
    for (const std::size_t size : {0UL, 7UL, 8UL, 3071UL, 3072UL, 3080UL, 6144UL, 20'000UL}) {
        const Bytes part(big.data() + (size == 7 ? 1 : 0), size);
        CHECK(crc32c(0, part) == crc32c_software(0, part));
        CHECK(crc32c(crc32c(0, part.first(size / 3)), part.subspan(size / 3)) == crc32c(0, part));
    }
}

TEST_CASE("a header is checked field by field, in the order of the fields") {
    const Frame good = sample();
    Header h;
    const auto check = [&](auto change) {
        Frame frame = good;
        change(frame);
        return decode_header(frame, h).reason;
    };
    CHECK(decode_header(good, h).ok());
    CHECK(decode_header(Bytes(good).first(39), h).reason == Reason::too_short);
    CHECK(decode_header(Frame(kMaxFrameBytes + 8), h).reason == Reason::too_long);
    CHECK(check([](Frame& f) { f.push_back(0); }) == Reason::misaligned);
    CHECK(check([](Frame& f) { f[0] = 0; }) == Reason::magic);
    CHECK(check([](Frame& f) { f[2] = 2; }) == Reason::version);
    CHECK(check([](Frame& f) { f[3] = 10; }) == Reason::kind);
    CHECK(check([](Frame& f) { poke(f, 4, std::uint16_t{0}); }) == Reason::table);
    CHECK(check([](Frame& f) { poke(f, 6, std::uint16_t{2}); }) == Reason::flags);
    CHECK(check([](Frame& f) { poke(f, 6, std::uint16_t{0x80}); }) == Reason::flags);
    CHECK(check([](Frame& f) { poke(f, 8, std::uint32_t{8}); }) == Reason::length);
    CHECK(check([](Frame& f) { poke(f, 12, std::uint32_t{0}); }) == Reason::count);
    CHECK(check([](Frame& f) { poke(f, 24, ~std::uint64_t{0}); }) == Reason::count);
    CHECK(check([](Frame& f) { f.back() = static_cast<std::uint8_t>(f.back() ^ 1U); }) == Reason::checksum);
    CHECK(check([](Frame& f) {
              poke(f, 24, std::uint64_t{0});
              restamp(f, 7, false);
          }) == Reason::number);
    CHECK(check([](Frame& f) {
              poke(f, 32, std::uint64_t{0});
              restamp(f, 7, false);
          }) == Reason::fingerprint);
    CHECK(decode_header(good, h, {.incarnation = 8}).reason == Reason::incarnation);
    CHECK(decode_header(good, h, {.incarnation = 7}).ok());
    // ignorable: an unknown flag in the high byte
    CHECK(check([](Frame& f) {
              poke(f, 6, std::uint16_t{0x4000});
              restamp(f, 7, true);
          }) == Reason::ok);
    CHECK(h.flags == (0x4000 | kFlagRetransmit));
}

TEST_CASE("kinds without a table have neither table, number, fingerprint, count nor critical flags") {
    const Frame good = encode(Barrier{7}, 1);
    Header h;
    const auto check = [&](std::size_t at, auto value) {
        Frame frame = good;
        poke(frame, at, value);
        restamp(frame, 1, false);
        return decode_header(frame, h).reason;
    };
    CHECK(check(4, std::uint16_t{1}) == Reason::table);
    CHECK(check(6, kFlagLast) == Reason::flags);
    CHECK(check(12, std::uint32_t{1}) == Reason::count);
    CHECK(check(24, std::uint64_t{1}) == Reason::number);
    CHECK(check(32, std::uint64_t{1}) == Reason::fingerprint);
}

TEST_CASE("every check of a block has its reason, and a bad frame applies nothing (R36)") {
    // frame: 40 header · block: 16 header, rows 0 3 4 + padding (16), values (24)
    CHECK(spoiled(40, std::uint16_t{1}) == Reason::ok);
    CHECK(spoiled(42, std::uint8_t{6}) == Reason::block_type);
    CHECK(spoiled(42, std::uint8_t{3}) == Reason::block_type);   // not the schema's
    CHECK(spoiled(43, std::uint8_t{2}) == Reason::block_flags);  // dense rows are for solvers
    CHECK(spoiled(43, std::uint8_t{5}) == Reason::block_flags);
    CHECK(spoiled(44, std::uint32_t{0}) == Reason::block_empty);
    CHECK(spoiled(44, ~std::uint32_t{0}) == Reason::block_short);
    CHECK(spoiled(48, Time{5001}) == Reason::block_time);
    CHECK(spoiled(48, std::numeric_limits<Time>::min()) == Reason::block_time);
    CHECK(spoiled(48, kMaxBaseTime + 1000) == Reason::block_time);
    CHECK(spoiled(60, std::uint32_t{5000}) == Reason::row);
    CHECK(spoiled(60, ~std::uint32_t{0}) == Reason::row);
    CHECK(spoiled(68, std::uint32_t{1}) == Reason::padding);
    CHECK(spoiled(72, std::numeric_limits<double>::quiet_NaN()) == Reason::not_finite);
    CHECK(spoiled(72, std::numeric_limits<double>::infinity()) == Reason::not_finite);
    CHECK(spoiled(88, 100.5) == Reason::range);
    CHECK(spoiled(12, std::uint32_t{2}) == Reason::block_count);
    CHECK(spoiled(4, std::uint16_t{2}) == Reason::table);
    CHECK(spoiled(32, std::uint64_t{99}) == Reason::fingerprint);
}

TEST_CASE("integers beyond 2^53 are inexact, also when they would round into range") {
    StateTable t = table();
    fill(t, 3, 0, 1, 1.0);
    Frame frame = encode_delta(t, 1, 7).front().frame;
    poke(frame, 64, (std::int64_t{1} << 53U) + 1);
    restamp(frame, 7, false);
    StateTable reader = table();
    CHECK(ingest_reason(reader, frame) == Reason::inexact);
    poke(frame, 64, -(std::int64_t{1} << 53U));
    restamp(frame, 7, false);
    CHECK(ingest_reason(reader, frame) == Reason::ok);
    CHECK(reader.value(3, 0) == -kMaxExactInteger);
}

TEST_CASE("offsets of bytes start at 0, ascend, and no value is longer than 1 KiB") {
    StateTable t = table();
    t.set_bytes(9, 0, "abc", 0);
    t.set_bytes(9, 1, "defgh", 0);
    const Frame good = encode_delta(t, 1, 7).front().frame;  // offsets at 64: 0 3 8, data at 76
    const auto check = [&](std::size_t at, std::uint32_t value) {
        Frame frame = good;
        poke(frame, at, value);
        restamp(frame, 7, false);
        StateTable reader = table();
        return ingest_reason(reader, frame);
    };
    CHECK(check(64, 0) == Reason::ok);
    CHECK(check(64, 1) == Reason::offsets);
    CHECK(check(68, 9) == Reason::offsets);
    CHECK(check(72, 13) == Reason::block_short);
    CHECK(check(72, 4000) == Reason::value_length);
    CHECK(check(72, 7) == Reason::padding);
}

TEST_CASE("unknown attributes become opaque columns, of one type, and at most so many") {
    StateTable sender = table();
    for (std::size_t i = 0; i < kMaxOpaque; ++i) {
        sender.add_opaque(static_cast<AttributeId>(100 + i), ValueType::u32);
        fill(sender, static_cast<AttributeId>(100 + i), 7, 2, 3.0);
    }
    const Frame frame = encode_delta(sender, 1, 7).front().frame;
    StateTable reader = table();
    CHECK(ingest_reason(reader, frame) == Reason::ok);
    CHECK(reader.equal(sender));
    CHECK(reader.digest() == sender.digest());

    StateTable other = table();
    other.add_opaque(300, ValueType::u32);
    fill(other, 300, 0, 1, 1.0);
    CHECK(ingest_reason(reader, encode_delta(other, 99, 7).front().frame) == Reason::too_many_unknown);
    StateTable retyped = table();
    retyped.add_opaque(100, ValueType::f64);
    fill(retyped, 100, 0, 1, 1.0);
    CHECK(ingest_reason(reader, encode_delta(retyped, 99, 7).front().frame) == Reason::block_type);
    CHECK(reader.equal(sender));
}

TEST_CASE("a table with local writes refuses a peer's records: one writer (R15)") {
    StateTable t = table();
    fill(t, 1, 0, 1, 1.0);
    const Frame frame = sample();
    CHECK_THROWS_AS(ingest_reason(t, frame), InvalidArgument);
}

TEST_CASE("a table above 256 KiB goes in several frames, none longer, numbered without a gap") {
    StateTable t = table(kTelemetry, 40'000);
    fill(t, 1, 0, 40'000, 1.0);
    const auto frames = encode_delta(t, 5, 7);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].frame.size() <= kCutBytes);
    CHECK(frames[0].count >= 21'800);
    CHECK(frames[1].first == 5 + frames[0].count);
    CHECK(frames[1].count == 40'000 - frames[0].count);
}

TEST_CASE("times further apart than 71 minutes go in blocks of their own") {
    StateTable t = table();
    fill(t, 1, 0, 1, 1.0, 0);
    fill(t, 1, 1, 1, 1.0, Time{4'294'967'295} * kMicrosecond);
    fill(t, 1, 2, 1, 1.0, Time{4'294'967'296} * kMicrosecond);
    const auto frames = encode_delta(t, 1, 7);
    REQUIRE(frames.size() == 1);
    StateTable reader = table();
    CHECK(ingest_reason(reader, frames[0].frame) == Reason::ok);
    CHECK(reader.equal(t));
}

TEST_CASE("a unit is one frame up to the limit; a larger plan has the same prefix in all, bit 0 on the last") {
    const Lease lease{
        .epoch = make_epoch(3, 9), .basis_version = 5, .validity_ms = 3000, .age_ms = 1, .echo = 2, .flags = 8};
    StateTable budget = table(kBudget);
    fill(budget, 1, 0, 5'000, 1.0);
    CHECK_THROWS_AS((void)encode_unit(budget, 1, 7, std::nullopt, true), InvalidArgument);
    CHECK_THROWS_AS((void)encode_delta(budget, 1, 7), InvalidArgument);
    StateTable whole = budget.fork();
    CHECK(encode_unit(whole, 1, 7, lease, true).size() == 1);
    CHECK_THROWS_AS((void)encode_unit(budget, 1, 7, lease, false, 20'000), InvalidArgument);
    CHECK(budget.dirty_count() == 5'000);
    const auto frames = encode_unit(budget, 1, 7, lease, true, 20'000);
    REQUIRE(frames.size() > 2);
    StateTable reader = table(kBudget);
    for (const EncodedDelta& part : frames) {
        const Header h = header_of(part.frame);
        CHECK(h.last() == (&part == &frames.back()));
        const Ingested got = ingest(reader, h, part.frame, 0);
        CHECK(got.verdict.ok());
        CHECK(got.lease == lease);
    }
    CHECK(reader.equal(budget));

    StateTable query = table(kQuery);
    fill(query, 1, 0, 3, 1.0);
    CHECK_THROWS_AS((void)encode_unit(query, 1, 7, lease, false), InvalidArgument);
    CHECK_THROWS_AS((void)encode_unit(query, 1, 7, std::nullopt, false, 50), InvalidArgument);
    CHECK_THROWS_AS((void)query.settle(0), InvalidArgument);
    CHECK_FALSE(header_of(encode_unit(query, 1, 7, std::nullopt, false).front().frame).last());
}

TEST_CASE("what a decoder would refuse, an encoder refuses") {
    CHECK_THROWS_AS((void)encode(Hello{.version_min = 2, .version_max = 1}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Hello{.first = 0}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Welcome{.mode_up = 3, .heartbeat_ms = 1}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Heartbeat{.state = 4}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Barrier{.epoch = ~std::uint64_t{0}}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Bye{.reason = 1, .text = std::string(201, 'x')}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Bye{.reason = 1, .text = "\xc0\x80"}, 1), InvalidArgument);
    CHECK_THROWS_AS((void)encode(Resync{.reason = 5}, 1), InvalidArgument);
    Frame odd(45);
    CHECK_THROWS_AS(seal(odd, Header{}), InvalidArgument);
    Frame long_frame(kMaxFrameBytes + 8);
    CHECK_THROWS_AS(seal(long_frame, Header{}), InvalidArgument);
    const std::vector<SolverBlock> infinite{
        {.attribute = 1, .type = ValueType::f64, .dense = true, .rows = {}, .values = {1.0 / 0.0}}};
    CHECK_THROWS_AS((void)encode(SolvePrefix{}, infinite, 1), InvalidArgument);
}

TEST_CASE("a snapshot of nothing is one chunk and empties the reader") {
    StateTable empty = table();
    StateTable reader = table();
    Header h = header_of(sample());
    CHECK(ingest(reader, h, sample(), 0).applied == 3);
    const std::vector<const StateTable*> from{&empty};
    const std::vector<StateTable*> to{&reader};
    const auto chunks = encode_snapshot(from, 0, 7);
    REQUIRE(chunks.size() == 1);
    SnapshotStage stage(from);
    CHECK_THROWS_AS(stage.commit(to), InvalidArgument);
    CHECK(stage.add(header_of(chunks[0]), chunks[0]).ok());
    stage.commit(to);
    CHECK(reader.equal(empty));
}

TEST_CASE("a snapshot is over all tables of the stream: names first, one index, one digest") {
    StateTable names(registry(), kNames, {9}, 100);
    StateTable telemetry = table();
    StateTable extra = table(40);
    names.set_bytes(9, 4, "essen", 0);
    fill(telemetry, 1, 0, 5'000, 2.0);
    fill(extra, 4, 1, 1, 2.0);
    const std::vector<const StateTable*> from{&extra, &telemetry, &names};
    CHECK_THROWS_AS((void)encode_snapshot(from, 9'000, 7), InvalidArgument);  // pending
    std::uint64_t next = 1;
    for (StateTable* t : {&names, &telemetry, &extra}) next += static_cast<std::uint64_t>(t->settle(next));
    CHECK_THROWS_AS((void)encode_snapshot(from, 0, 7), InvalidArgument);
    const auto chunks = encode_snapshot(from, next - 1, 7, std::nullopt, 30'000);
    CHECK(header_of(chunks.front()).table == kNames);
    CHECK(header_of(chunks.back()).table == 40);
    CHECK(chunks.size() == 5);

    StateTable r1 = names.empty_like();
    StateTable r2 = telemetry.empty_like();
    StateTable r3 = extra.empty_like();
    const std::vector<StateTable*> to{&r1, &r2, &r3};
    const std::vector<const StateTable*> schema{&r1, &r2, &r3};
    SnapshotStage stage(schema);
    for (const Frame& chunk : chunks) {
        CHECK_FALSE(stage.complete());
        CHECK(stage.add(header_of(chunk), chunk).ok());
    }
    stage.commit(to);
    CHECK(stream_digest(schema) == stream_digest(from));
    CHECK(r2.equal(telemetry));
    CHECK(r2.number(1, 0) == next - 1);
    CHECK(r1.bytes(9, 4)->value == "essen");

    // the stream goes on behind the as-of number
    fill(telemetry, 1, 17, 1, 3.0);
    const auto delta = encode_delta(telemetry, next, 7);
    CHECK(ingest(r2, header_of(delta[0].frame), delta[0].frame, next - 1).applied == 1);
    CHECK(r2.equal(telemetry));
}

TEST_CASE("every reason has a name of its own") {
    for (const auto& [reason, name] : kReasons) {
        CHECK(name_of(reason) == name);
        CHECK(std::count_if(kReasons.begin(), kReasons.end(), [&](const auto& r) { return r.second == name; }) == 1);
    }
}

}  // namespace sync_codec_test
