#include "log/reader.hpp"

#include "sync/codec_bytes.hpp"

namespace tiertwin::log {

bool Reader::stop(Fault fault, std::uint64_t at) {
    finding_ = {fault, at};
    return false;
}

bool Reader::next(Record& out) {
    if (!finding_.ok() || offset_ == file_.size()) return false;
    if (const Finding found = decode(file_, offset_, file_crc_, out.link); !found.ok()) {
        return stop(found.fault, found.at);
    }
    const std::uint64_t body = offset_ + kLinkBytes;
    if (out.link.length > file_.size() - body) return stop(Fault::record_size, offset_);
    out.offset = offset_;
    out.frame = file_.subspan(body, out.link.length);
    out.header = {};
    if (out.link.kind != RecordKind::mark) {
        const sync::Verdict verdict = sync::decode_header(out.frame, out.header);
        if (!verdict.ok()) return stop(Fault::frame, body + verdict.at);
    }
    const std::uint32_t chain = chain_of(chain_, out.link, out.header.crc);
    if (chain != out.link.chain) return stop(Fault::chain, offset_ + 8);
    chain_ = chain;
    offset_ = body + out.link.length;
    return true;
}

TailVerdict judge_tail(Bytes file, std::uint32_t file_crc, std::uint64_t offset) {
    TailVerdict out{Tail::clean, offset, 0};
    Link link;
    for (std::uint64_t at = offset; at + 8 <= file.size(); at += 8) {
        if (sync::load<std::uint64_t>(file.data() + at) == 0) continue;
        out.tail = Tail::torn;
        out.dirty_end = at + 8;
        if (at == offset || !decode(file, at, file_crc, link).ok() || !link.group_start()) continue;
        return {Tail::broken, out.dirty_end, at};
    }
    return out;
}

}  // namespace tiertwin::log
