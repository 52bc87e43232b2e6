// What a log's records have come to: a cursor a stream, and how many spilled events wait for their numbers.
//
// The writer asks it before a record goes in, recovery while records come out: one implementation of the rules, so
// what one writes the other takes.
//
//   peer p   HELLO or WELCOME names its stream (another one: cursor 0) · DELTA goes on without a gap and brings
//            something new · SNAPSHOT moves the cursor to its as-of number with its last chunk, never back
//   own (0)  DELTA has exactly the next number; `from_spill`: its records are the oldest spilled events
//   event    of the own stream, a DELTA whose number counts spilled events from 1
//
// So the cursor and the data are one record (R11): nobody can find one without the other.
#pragma once

#include <cstdint>
#include <vector>

#include "log/layout.hpp"

namespace tiertwin::log {

struct Cursor {
    std::uint16_t peer = 0;
    std::uint64_t stream = 0;  // 0: nobody named it
    std::uint64_t cursor = 0;
    bool operator==(const Cursor&) const = default;
};

class Streams {
  public:
    // The own stream goes on with `next_number`; `spilled` events so far, `drained` of them numbered.
    Streams() = default;
    explicit Streams(std::uint64_t stream, std::uint64_t next_number = 1, std::uint64_t spilled = 0,
                     std::uint64_t drained = 0);

    // kind, number, stream or events: why this record may not be the next one; ok if it may. `frame`: whole, checked.
    [[nodiscard]] Fault judge(const Link& link, const sync::Header& header, Bytes frame) const;
    // Requires judge(...) == ok.
    void take(const Link& link, const sync::Header& header, Bytes frame);

    // As a snapshot says it.
    void set(const Cursor& cursor);

    [[nodiscard]] Cursor of(std::uint16_t peer) const;  // all zero for one never heard
    [[nodiscard]] std::vector<Cursor> peers() const;    // those with a stream, ascending, without the own one
    [[nodiscard]] std::uint64_t next_number() const { return next_number_; }
    [[nodiscard]] std::uint64_t spilled() const { return spilled_; }
    [[nodiscard]] std::uint64_t drained() const { return drained_; }
    [[nodiscard]] std::uint64_t stream() const { return stream_; }

  private:
    [[nodiscard]] Fault judge_own(const Link& link, const sync::Header& header) const;
    [[nodiscard]] Fault judge_peer(const Link& link, const sync::Header& header, Bytes frame) const;

    std::uint64_t stream_ = 0, next_number_ = 1, spilled_ = 0, drained_ = 0;
    std::vector<Cursor> slots_;  // by slot; [0] is not used
};

// Of a HELLO or WELCOME; 0 if its body is too short.
[[nodiscard]] std::uint64_t stream_of(Bytes frame);

}  // namespace tiertwin::log
