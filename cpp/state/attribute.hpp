// What an attribute means: registered once, agreed by both ends of a session through its fingerprint.
//
// Additive    a definition never changes or goes; a new one gets a new id. One marked `extension` stays out of the
//             fingerprint, so that a peer which does not know it still agrees and carries it opaque (R36).
// Values      every number lives as f64 in a table, whatever its wire type; integers must be exact (|v| <= 2^53).
// Thread      immutable once tables are made from it; externally synchronised until then.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.hpp"

namespace tiertwin {

using AttributeId = std::uint16_t;

// Codes of the wire (block header, byte 2).
enum class ValueType : std::uint8_t { f64 = 1, f32 = 2, i64 = 3, u32 = 4, bytes = 5 };

inline constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53
inline constexpr std::size_t kMaxBytesValue = 1024;

struct Attribute {
    AttributeId id = 0;
    std::string name;
    std::string unit;
    std::string kind;  // gauge, counter, rate, state or event
    ValueType type = ValueType::f64;
    std::string
        merge;  // a rule of `abstraction` (sum, min, max, moments, any, all, wmean, hist, largest, oldest), or none
    double low = 0.0;  // validity range; the registry cuts it to what the type can hold, so finite is implied
    double high = 0.0;
    std::int64_t max_age_ms = 0;  // 0: no bound
    double deadband = 0.0;        // a change this small need not be sent
    double resolution = 0.0;
    int privacy = 0;
    bool extension = false;
};

// How messages name it: its id and its name.
[[nodiscard]] std::string named(const Attribute& attribute);

class AttributeRegistry {
  public:
    // Refuses (InvalidArgument) a second definition of an id or name, an empty name, low > high, NaN.
    const Attribute& add(Attribute attribute);

    [[nodiscard]] const Attribute* find(AttributeId id) const;        // nullptr when unknown
    [[nodiscard]] const Attribute& get(AttributeId id) const;         // NotFound when unknown
    [[nodiscard]] const Attribute& get(std::string_view name) const;  // NotFound when unknown
    [[nodiscard]] std::vector<AttributeId> ids() const;               // ascending
    [[nodiscard]] std::vector<std::string> names() const;             // in the order of ids()

    // Stable over machines, processes and the order of add(); never 0.
    [[nodiscard]] std::uint64_t fingerprint() const;

  private:
    std::map<AttributeId, Attribute> by_id_;
    std::map<std::string, AttributeId, std::less<>> by_name_;
};

// Fingerprint of a table of `rows` rows and some definitions (extensions are skipped); `table` 0 is the whole registry,
// which has no rows.
[[nodiscard]] std::uint64_t fingerprint_of(const std::vector<const Attribute*>& sorted, std::uint16_t table,
                                           index_t rows);

[[nodiscard]] ValueType value_type_of(std::string_view name);  // InvalidArgument names the known ones
[[nodiscard]] std::string_view name_of(ValueType type);
struct Range {
    double low;
    double high;
};

// What a type can hold; the registry cuts every declared range to this, so "in range" implies finite and exact.
[[nodiscard]] Range widest(ValueType type);
// Bytes of one value on the wire; 0 for `bytes`.
[[nodiscard]] std::size_t width_of(ValueType type);

}  // namespace tiertwin
