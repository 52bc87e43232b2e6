#include "state/attribute.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "state/digest.hpp"

namespace tiertwin {
namespace {

constexpr std::array<std::pair<ValueType, std::string_view>, 5> kTypes{{{ValueType::f64, "f64"},
                                                                        {ValueType::f32, "f32"},
                                                                        {ValueType::i64, "i64"},
                                                                        {ValueType::u32, "u32"},
                                                                        {ValueType::bytes, "bytes"}}};
constexpr std::array<std::string_view, 5> kKinds{"gauge", "counter", "rate", "state", "event"};

// FNV-1a over the canonical bytes of the definitions: little-endian numbers, strings with their length before them.
class Hash {
  public:
    void number(std::uint64_t value) {
        for (unsigned shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
    }
    void real(double value) { number(canonical_bits(value)); }
    void text(std::string_view value) {
        number(value.size());
        for (const char c : value) byte(static_cast<std::uint8_t>(c));
    }
    [[nodiscard]] std::uint64_t result() const { return mix64(state_); }

  private:
    void byte(std::uint8_t value) { state_ = (state_ ^ value) * 0x100000001b3U; }
    std::uint64_t state_ = 0xcbf29ce484222325U;
};

void check(const Attribute& a) {
    const std::string where = named(a) + ": ";
    if (a.name.empty()) throw InvalidArgument(where + "expected a name, got an empty one");
    if (std::find(kKinds.begin(), kKinds.end(), a.kind) == kKinds.end()) {
        throw InvalidArgument(where + "expected kind gauge, counter, rate, state or event, got '" + a.kind + "'");
    }
    if (!(a.low <= a.high)) {
        throw InvalidArgument(where + "expected low <= high, got [" + std::to_string(a.low) + ", " +
                              std::to_string(a.high) + "]");
    }
    if (!std::isfinite(a.deadband) || a.deadband < 0 || !std::isfinite(a.resolution) || a.resolution < 0) {
        throw InvalidArgument(where + "expected a finite dead-band and resolution >= 0");
    }
    if (a.max_age_ms < 0) throw InvalidArgument(where + "expected max_age_ms >= 0 (0: no bound)");
}

}  // namespace

Range widest(ValueType type) {
    switch (type) {
        case ValueType::f32:
            return {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
        case ValueType::i64:
            return {-kMaxExactInteger, kMaxExactInteger};
        case ValueType::u32:
            return {0.0, std::numeric_limits<std::uint32_t>::max()};
        case ValueType::f64:
        case ValueType::bytes:
            break;
    }
    return {std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max()};
}

const Attribute& AttributeRegistry::add(Attribute a) {
    check(a);
    const auto [lowest, highest] = widest(a.type);
    // An f32 bound is the float nearest to it, so that a value rounded to the wire type cannot leave its range.
    const auto bound = [&](double value) {
        const double cut = std::clamp(value, lowest, highest);
        return a.type == ValueType::f32 ? static_cast<double>(static_cast<float>(cut)) : cut;
    };
    if (a.high < lowest || a.low > highest) {
        throw InvalidArgument("attribute " + std::to_string(a.id) + " '" + a.name + "': no " +
                              std::string(name_of(a.type)) + " lies in its range");
    }
    a.low = bound(a.low);
    a.high = bound(a.high);
    if (by_id_.contains(a.id)) {
        throw InvalidArgument("attribute id " + std::to_string(a.id) + " is taken by '" + by_id_[a.id].name +
                              "'; definitions are additive, take a free id for '" + a.name + "'");
    }
    if (by_name_.contains(a.name)) {
        throw InvalidArgument("attribute name '" + a.name + "' is taken by id " + std::to_string(by_name_[a.name]));
    }
    by_name_[a.name] = a.id;
    return by_id_[a.id] = std::move(a);
}

const Attribute* AttributeRegistry::find(AttributeId id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : &it->second;
}

const Attribute& AttributeRegistry::get(AttributeId id) const {
    if (const Attribute* found = find(id)) return *found;
    throw NotFound("attribute " + std::to_string(id) + " is not in the registry (" + std::to_string(by_id_.size()) +
                   " attributes); add() it first");
}

const Attribute& AttributeRegistry::get(std::string_view name) const {
    const auto it = by_name_.find(name);
    if (it != by_name_.end()) return by_id_.at(it->second);
    throw NotFound("attribute '" + std::string(name) + "' is not in the registry (" + std::to_string(by_id_.size()) +
                   " attributes); add() it first");
}

std::vector<AttributeId> AttributeRegistry::ids() const {
    std::vector<AttributeId> out;
    for (const auto& [id, attribute] : by_id_) out.push_back(id);
    return out;
}

std::vector<std::string> AttributeRegistry::names() const {
    std::vector<std::string> out;
    for (const auto& [id, attribute] : by_id_) out.push_back(attribute.name);
    return out;
}

std::uint64_t AttributeRegistry::fingerprint() const {
    std::vector<const Attribute*> all;
    for (const auto& [id, attribute] : by_id_) all.push_back(&attribute);
    return fingerprint_of(all, 0, 0);
}

std::uint64_t fingerprint_of(const std::vector<const Attribute*>& sorted, std::uint16_t table, index_t rows) {
    Hash hash;
    hash.number(table);
    if (table != 0) hash.number(static_cast<std::uint64_t>(rows));
    for (const Attribute* a : sorted) {
        if (a->extension) continue;
        hash.number(a->id);
        hash.number(static_cast<std::uint64_t>(a->type));
        hash.text(a->name);
        hash.text(a->unit);
        hash.text(a->kind);
        hash.text(a->merge);
        hash.real(a->low);
        hash.real(a->high);
        hash.number(static_cast<std::uint64_t>(a->max_age_ms));
        hash.real(a->deadband);
        hash.real(a->resolution);
        hash.number(static_cast<std::uint64_t>(a->privacy));
    }
    const std::uint64_t result = hash.result();
    return result == 0 ? 1 : result;  // 0 says "no table" on the wire
}

std::string named(const Attribute& attribute) {
    return "attribute " + std::to_string(attribute.id) + " '" + attribute.name + "'";
}

ValueType value_type_of(std::string_view name) {
    for (const auto& [type, text] : kTypes) {
        if (text == name) return type;
    }
    throw InvalidArgument("expected value type f64, f32, i64, u32 or bytes, got '" + std::string(name) + "'");
}

std::string_view name_of(ValueType type) {
    for (const auto& [known, text] : kTypes) {
        if (known == type) return text;
    }
    return "?";
}

std::size_t width_of(ValueType type) {
    switch (type) {
        case ValueType::f64:
        case ValueType::i64:
            return 8;
        case ValueType::f32:
        case ValueType::u32:
            return 4;
        case ValueType::bytes:
            break;
    }
    return 0;
}

}  // namespace tiertwin
