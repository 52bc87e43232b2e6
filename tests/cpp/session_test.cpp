#include "sync/session.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace session_test {

using namespace tiertwin;
using namespace tiertwin::sync;

namespace {

// A child that met its parent (incarnation 3, stream 77) and holds its records up to `cursor`.
Session live_at(std::uint64_t cursor) {
    Session s;
    s.state = State::live;
    s.attached = s.whole = true;
    s.incarnation = 3;
    s.stream = 77;
    s.cursor = cursor;
    s.heard_at = 0;
    return s;
}

Event delta(std::uint64_t first, std::uint64_t last) { return {.input = Input::delta, .first = first, .last = last}; }
Event chunk(std::uint32_t index, std::uint64_t as_of, std::uint32_t count = 3) {
    return {.input = Input::snapshot, .last = as_of, .index = index, .count = count};
}
Event plain(Input input) { return {.input = input}; }
Event hello(std::uint64_t first, std::uint64_t last, std::uint64_t stream = 77, std::uint32_t incarnation = 3) {
    return {.input = Input::hello, .first = first, .last = last, .stream = stream, .incarnation = incarnation};
}

bool listed(State state, Input input) {
    const auto rows = transitions();
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
        if ((rows[i].states >> static_cast<unsigned>(state) & 1U) != 0 &&
            (rows[i].inputs >> static_cast<unsigned>(input) & 1U) != 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

TEST_CASE("session: every state answers every input, and only the last row says unlisted") {
    const auto rows = transitions();
    CHECK((rows.back().effects & kUnlisted) != 0);
    CHECK(rows.back().when == When::always);
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) CHECK((rows[i].effects & kUnlisted) == 0);
    for (std::size_t state = 0; state < kStates; ++state) {
        for (std::size_t input = 0; input < kInputs; ++input) {
            for (const std::uint64_t last : {0U, 4U, 5U, 6U, 9U}) {
                Session s = live_at(5);
                s.state = static_cast<State>(state);
                s.sent = 5;
                Event e = plain(static_cast<Input>(input));
                e.first = e.last = last;
                const Outcome out = apply(s, e, 10 * kSecond);
                CHECK(out.row < rows.size());
                CHECK(static_cast<std::size_t>(s.state) < kStates);
                const std::uint64_t counted = s.unlisted[state][input];
                CHECK(counted == (out.row + 1 == rows.size() ? 1 : 0));
                if (counted == 1) CHECK(s.state == static_cast<State>(state));
            }
        }
    }
}

TEST_CASE("session: which (state, input) pairs are named at all") {
    // A row that gets lost shows here. Rows of text: state; columns: inputs in the order of the enumeration.
    const std::vector<std::string> expected = {
        //  hello … solver, bad, open, offer, complete, wait, retry, silence, death, unreachable
        "1111111111"
        "110010111",  // fresh
        "1111111111"
        "111001111",  // live
        "1111111100"
        "111011111",  // gapped
        "1111111100"
        "111111111",  // resyncing
        "1011111011"
        "110000000",  // lost
        "1111111111"
        "110000000",  // banned
    };
    for (std::size_t state = 0; state < kStates; ++state) {
        std::string found;
        for (std::size_t input = 0; input < kInputs; ++input) {
            found += listed(static_cast<State>(state), static_cast<Input>(input)) ? '1' : '0';
        }
        CHECK(found == expected[state]);
    }
}

TEST_CASE("session: records are taken in order, once, and never over a gap (R9)") {
    Session s = live_at(5);
    CHECK(apply(s, delta(6, 8), 0).has(kApply));
    CHECK(s.cursor == 8);
    const Outcome again = apply(s, delta(6, 8), 0);
    CHECK(again.has(kAckNow));
    CHECK_FALSE(again.has(kApply));
    CHECK(apply(s, delta(7, 10), 0).has(kApply));  // the suffix
    CHECK(s.cursor == 10);
    const Outcome ahead = apply(s, delta(12, 13), 0);
    CHECK(ahead.has(kResyncGap));
    CHECK(s.state == State::gapped);
    CHECK(s.cursor == 10);
    CHECK_FALSE(apply(s, delta(9, 10), 0).has(kApply));
    CHECK_FALSE(apply(s, delta(12, 13), 0).has(kApply));
    CHECK(apply(s, delta(11, 13), 0).has(kApply));
    CHECK(s.state == State::live);
    CHECK(s.cursor == 13);
}

TEST_CASE("session: a gap asks twice for the records, doubling, and the third time for a snapshot") {
    Session s = live_at(0);
    (void)apply(s, delta(5, 5), 0);
    CHECK(s.wait_at == kFirstWait);
    CHECK(apply(s, plain(Input::wait), s.wait_at).has(kResyncGap));
    CHECK(s.wait_every == 2 * kFirstWait);
    CHECK(apply(s, plain(Input::wait), s.wait_at).has(kResyncGap));
    CHECK(s.wait_every == 4 * kFirstWait);
    CHECK(apply(s, plain(Input::wait), s.wait_at).has(kResyncSnapshot));
    CHECK(s.state == State::resyncing);
    CHECK(s.wait_at != kNoTime);  // no waiting state without a timeout
}

TEST_CASE("session: a snapshot is staged chunk by chunk and swapped in one step") {
    Session s = live_at(3);
    (void)apply(s, delta(9, 9), 0);
    CHECK(apply(s, chunk(0, 20), 0).has(kStage));
    CHECK(s.state == State::resyncing);
    CHECK(s.cursor == 3);
    CHECK_FALSE(apply(s, delta(4, 4), 0).has(kApply));
    CHECK(apply(s, chunk(0, 20), 0).has(kDrop));         // repeated
    CHECK(apply(s, chunk(2, 20), 0).has(kResyncChunk));  // chunk 1 is missing
    CHECK(apply(s, chunk(2, 20), 0).effects == kDrop);   // asked just now
    CHECK(apply(s, chunk(1, 20), 0).has(kStage));
    CHECK(apply(s, chunk(2, 20), 0).has(kStage));
    const Outcome done = apply(s, {.input = Input::complete, .last = 20}, 0);
    CHECK(done.has(kSwap));
    CHECK(done.has(kAckNow));
    CHECK(s.state == State::live);
    CHECK(s.cursor == 20);
    CHECK(s.whole);
}

TEST_CASE("session: three failures of a resync end the session loudly") {
    Session s = live_at(3);
    (void)apply(s, {.input = Input::heartbeat, .last = 3, .agree = false}, 0);
    REQUIRE(s.state == State::resyncing);
    for (int i = 0; i < 2; ++i) {
        (void)apply(s, chunk(0, 9, 1), 0);
        CHECK(apply(s, {.input = Input::complete, .last = 9, .agree = false}, 0).has(kResyncChunk));
    }
    (void)apply(s, chunk(0, 9, 1), 0);
    const Outcome end = apply(s, {.input = Input::complete, .last = 9, .agree = false}, 0);
    CHECK(end.has(kByeFailed));
    CHECK(end.has(kAlarm));
    CHECK(s.state == State::lost);
    CHECK(s.cursor == 3);  // kept
}

TEST_CASE("session: a reconnect resumes when cursor and offer meet, else it asks for a snapshot") {
    Session s = live_at(7);
    (void)apply(s, plain(Input::death), 0);
    CHECK(s.state == State::lost);
    CHECK(apply(s, hello(8, 12), 1).has(kWelcomeResume));
    CHECK(s.state == State::live);
    CHECK(apply(s, hello(1, 7), 2).has(kWelcomeResume));
    CHECK(apply(s, hello(9, 12), 3).has(kWelcomeSnapshot));  // 8 is gone
    CHECK(s.state == State::resyncing);
    CHECK(apply(s, hello(1, 6), 4).has(kWelcomeSnapshot));       // it forgot what we hold
    CHECK(apply(s, hello(1, 12, 99), 5).has(kWelcomeSnapshot));  // another stream
    CHECK(s.cursor == 0);
    CHECK(apply(s, hello(1, 12, 99), 6).has(kWelcomeSnapshot));  // known now, but its snapshot never came
    const Outcome old = apply(s, hello(1, 12, 99, 2), 7);
    CHECK(old.has(kByeFenced));
    CHECK(s.incarnation == 3);
}

TEST_CASE("session: HELLO is repeated until WELCOME, and a WELCOME that is not newer changes nothing (R18)") {
    Session s;
    CHECK(apply(s, plain(Input::open), 0).has(kSendHello));
    CHECK(s.wait_at == kFirstWait);
    CHECK(apply(s, plain(Input::wait), s.wait_at).has(kSendHello));
    const Event welcome{.input = Input::welcome, .first = 1, .last = 4, .stream = 5, .incarnation = 1, .term = 2};
    const Outcome first = apply(s, welcome, kSecond);
    CHECK(first.has(kBegin));
    CHECK(s.state == State::resyncing);
    CHECK(s.term == 2);
    CHECK(apply(s, welcome, kSecond).effects == kDrop);
}

TEST_CASE("session: acknowledgements beyond what was sent are lies, overtaken ones are dropped") {
    Session s = live_at(0);
    note_sent(s, 10, 0);
    CHECK(s.retry_at == kFirstWait);
    CHECK(apply(s, {.input = Input::ack, .last = 11}, 1).has(kBad));
    CHECK(s.acked == 0);
    CHECK(apply(s, {.input = Input::ack, .last = 6}, 1).has(kTruncate));
    CHECK(apply(s, {.input = Input::ack, .last = 5}, 1).effects == kDrop);
    CHECK(s.acked == 6);
    CHECK(apply(s, plain(Input::retry), s.retry_at).has(kRetransmit));
    CHECK(s.retry_every == 2 * kFirstWait);
    (void)apply(s, {.input = Input::ack, .last = 10}, kSecond);
    CHECK(s.retry_at == kNoTime);
}

TEST_CASE(
    "session: what is sent again waits as long as acknowledgements take, within bounds (Jacobson, Karels, Karn)") {
    Session s = live_at(0);
    Time now = 0;
    const auto round = [&](Time took) {
        note_sent(s, s.sent + 1, now);
        now += took;
        (void)apply(s, {.input = Input::ack, .last = s.sent}, now);
    };
    round(40 * kMillisecond);
    CHECK(s.srtt == 40 * kMillisecond);
    CHECK(s.rttvar == 20 * kMillisecond);
    CHECK(s.patience == kFirstWait);  // a quick peer is not hurried
    for (int n = 0; n < 200; ++n) round(600 * kMillisecond);
    CHECK(s.srtt > 599 * kMillisecond);
    CHECK(s.patience >= 600 * kMillisecond);
    CHECK(s.patience < 650 * kMillisecond);
    note_sent(s, s.sent + 1, now);
    CHECK(s.retry_at == now + s.patience);  // nothing goes again that is merely on its way
    for (int n = 0; n < 20; ++n) round(9 * kSecond);
    CHECK(s.patience == kLongestWait);
    for (int n = 0; n < 200; ++n) round(kMillisecond);
    CHECK(s.patience == kFirstWait);
    (void)apply(s, delta(5, 5), now);
    CHECK(s.wait_at == now + s.patience);
}

TEST_CASE("session: what went twice tells nothing of the way; the longer wait stays until something does (Karn)") {
    Session s = live_at(0);
    note_sent(s, 1, 0);
    (void)apply(s, plain(Input::retry), s.retry_at);
    CHECK(s.retry_every == 2 * kFirstWait);
    (void)apply(s, {.input = Input::ack, .last = 1}, 700 * kMillisecond);  // of the first or of the second?
    CHECK(s.srtt == -1);
    CHECK(s.retry_every == 2 * kFirstWait);
    note_sent(s, 2, kSecond);
    CHECK(s.retry_at == kSecond + 2 * kFirstWait);
    (void)apply(s, {.input = Input::ack, .last = 2}, kSecond + 500 * kMillisecond);
    CHECK(s.srtt == 500 * kMillisecond);
    CHECK(s.retry_every == s.patience);
    CHECK(s.patience == 1500 * kMillisecond);
}

TEST_CASE("session: a snapshot that is wanted is owed until its end is acknowledged, or more than when it was wanted") {
    Session s = live_at(0);
    note_sent(s, 10, 0);
    CHECK(apply(s, {.input = Input::resync, .first = 5, .reason = 3}, 0).has(kSendSnapshot));
    (void)apply(s, {.input = Input::ack, .last = 5}, 0);
    CHECK(s.snapshot_out);
    SUBCASE("it went on without") {
        (void)apply(s, {.input = Input::ack, .last = 6}, 0);
        CHECK_FALSE(s.snapshot_out);
    }
    SUBCASE("it has begun") {
        note_snapshot(s, 12, 0);
        (void)apply(s, {.input = Input::ack, .last = 6}, 0);
        CHECK(s.snapshot_out);
        (void)apply(s, {.input = Input::ack, .last = 12}, 0);
        CHECK_FALSE(s.snapshot_out);
    }
}

TEST_CASE("session: RESYNC gets the records while the log has them, else a snapshot that is owed until acknowledged") {
    Session s = live_at(0);
    note_sent(s, 10, 0);
    s.log_first = 4;
    CHECK(apply(s, {.input = Input::resync, .first = 5, .reason = 1}, 0).has(kSendFrom));
    CHECK(apply(s, {.input = Input::resync, .first = 2, .reason = 1}, 0).effects == kDrop);  // overtaken
    CHECK(apply(s, {.input = Input::resync, .first = 99, .reason = 1}, 0).has(kBad));
    CHECK(apply(s, {.input = Input::resync, .first = 5, .reason = 3}, 0).has(kSendSnapshot));
    CHECK(s.snapshot_out);
    note_snapshot(s, 12, 0);
    CHECK(s.log_first == 13);
    (void)apply(s, {.input = Input::ack, .last = 11}, 0);
    CHECK(s.snapshot_out);
    (void)apply(s, {.input = Input::ack, .last = 12}, 0);
    CHECK_FALSE(s.snapshot_out);
    CHECK(s.retry_at == kNoTime);
}

TEST_CASE("session: a peer that lacks what it acknowledged, and has heard of us since, gets a snapshot") {
    Session s = live_at(0);
    note_sent(s, 10, 0);
    (void)apply(s, {.input = Input::ack, .last = 6}, kSecond);
    CHECK(s.acked_at == kSecond);
    Event beat{.input = Input::heartbeat, .first = 5};
    CHECK(apply(s, beat, kSecond).effects == kNote);  // echoes nothing that we know of
    beat.echoed_at = kSecond;                         // sent before or after the acknowledgement came?
    CHECK(apply(s, beat, 2 * kSecond).effects == kNote);
    beat.echoed_at = kSecond + 1;
    beat.first = 6;
    CHECK(apply(s, beat, 2 * kSecond).effects == kNote);
    beat.first = 5;
    CHECK(apply(s, beat, 2 * kSecond).effects == (kNote | kSendSnapshot));
    CHECK(s.snapshot_out);
    CHECK(s.acked == 0);
    CHECK(s.state == State::live);                        // of what we receive
    CHECK(apply(s, beat, 2 * kSecond).effects == kNote);  // once
    (void)apply(s, {.input = Input::resync, .first = 8, .reason = 1}, 3 * kSecond);
    CHECK(s.acked_at == 3 * kSecond);  // a cursor told by RESYNC counts alike
}

TEST_CASE("session: three bad frames a minute ban, for longer each time; then the peer must say HELLO") {
    Session s = live_at(0);
    Time now = 0;
    (void)apply(s, plain(Input::bad_frame), now);
    (void)apply(s, plain(Input::bad_frame), now += 40 * kSecond);
    CHECK_FALSE(apply(s, plain(Input::bad_frame), now += 40 * kSecond).has(kByeBanned));  // 80 s apart
    CHECK(apply(s, plain(Input::bad_frame), now += kSecond).has(kByeBanned));
    CHECK(s.state == State::banned);
    CHECK(s.banned_until == now + kFirstBan);
    CHECK(apply(s, hello(1, 0), now + kSecond).effects == kDrop);
    CHECK(apply(s, hello(1, 0), now + kFirstBan).has(kByeUnknown));
    CHECK(s.state == State::fresh);
    for (int i = 0; i < 3; ++i) (void)apply(s, plain(Input::bad_frame), now + kFirstBan);
    CHECK(s.banned_until == now + 3 * kFirstBan);
}

TEST_CASE("session: strangers are told that they are unknown, at most once a second (R21)") {
    Session s;
    CHECK(apply(s, delta(1, 1), 0).has(kByeUnknown));
    CHECK_FALSE(apply(s, delta(1, 1), kUnknownEvery - 1).has(kByeUnknown));
    CHECK(apply(s, delta(1, 1), kUnknownEvery).has(kByeUnknown));
    CHECK_FALSE(apply(s, plain(Input::bye), 5 * kSecond).has(kByeUnknown));  // or two lost peers would never stop
}

TEST_CASE("session: silence is suspected, then ends the session; any frame is a sign of life (R20)") {
    Session s = live_at(4);
    CHECK(apply(s, plain(Input::silence), kSuspectAfter).has(kSuspect));
    CHECK(s.suspect);
    (void)apply(s, delta(1, 2), kSuspectAfter + 5);
    CHECK_FALSE(s.suspect);
    CHECK(s.heard_at == kSuspectAfter + 5);
    CHECK(apply(s, plain(Input::death), kDeadAfter).has(kStale));
    CHECK(s.state == State::lost);
    CHECK_FALSE(s.attached);
    CHECK(s.cursor == 4);
}

}  // namespace session_test
