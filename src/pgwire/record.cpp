#include "pgwire/record.hpp"

#include <algorithm>

namespace theriac::pgwire {
namespace {

constexpr std::uint32_t kNull = 0xffffffff;

bool needs_quotes(const Bytes& value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](std::uint8_t c) {
           return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || c == ' ' ||
                  (c >= '\t' && c <= '\r');
         });
}

/// Reads the rest of a field whose quote has been read; false: it has no end.
bool quoted(ByteView text, std::size_t& at, Bytes& out) {
  while (at < text.size()) {
    const auto c = text[at++];
    const bool doubled = (c == '"' || c == '\\') && at < text.size() && text[at] == c;
    if (c == '"' && !doubled) return true;
    if (c == '\\' && !doubled) return false;
    if (doubled) ++at;
    out.push_back(c);
  }
  return false;
}

}  // namespace

Result<RecordValue> RecordValue::parse(ByteView text) {
  const auto malformed = [] { return fail(Code::kMalformed, "row"); };
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') return malformed();
  RecordValue out;
  if (text.size() == 2) {
    out.fields.emplace_back();  // one NULL; a row without fields is not printed by anything here
    return out;
  }
  std::size_t at = 1;
  for (;;) {
    if (out.fields.size() >= kRecordFieldsMax) return malformed();
    auto& field = out.fields.emplace_back();
    if (text[at] == '"') {
      ++at;
      field.value.emplace();
      if (!quoted(text, at, *field.value)) return malformed();
    } else {
      const auto begin = at;
      while (at < text.size() && text[at] != ',' && text[at] != ')') {
        if (text[at] == '"' || text[at] == '\\' || text[at] == '(') return malformed();
        ++at;
      }
      const auto raw = text.subspan(begin, at - begin);
      if (!raw.empty()) field.value.emplace(raw.begin(), raw.end());
    }
    if (at >= text.size()) return malformed();
    if (text[at] == ')') break;
    if (text[at] != ',' || ++at >= text.size()) return malformed();
  }
  if (at + 1 != text.size()) return malformed();
  return out;
}

Result<RecordValue> RecordValue::from_binary(ByteView value) {
  const auto malformed = [] { return fail(Code::kMalformed, "row"); };
  if (value.size() < 4) return malformed();
  const auto count = load_be<std::uint32_t>(value.data());
  if (count > kRecordFieldsMax) return malformed();
  std::size_t at = 4;
  RecordValue out;
  out.fields.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (value.size() - at < 8) return malformed();
    auto& field = out.fields.emplace_back();
    field.type_oid = load_be<std::uint32_t>(value.data() + at);
    const auto size = load_be<std::uint32_t>(value.data() + at + 4);
    at += 8;
    if (size == kNull) continue;
    if (size > value.size() - at) return malformed();
    const auto bytes = value.subspan(at, size);
    field.value.emplace(bytes.begin(), bytes.end());
    at += size;
  }
  if (at != value.size()) return malformed();
  return out;
}

void RecordValue::append_text(Bytes& out) const {
  out.push_back('(');
  for (const auto& field : fields) {
    if (&field != &fields.front()) out.push_back(',');
    if (!field.value) continue;
    if (!needs_quotes(*field.value)) {
      append(out, *field.value);
      continue;
    }
    out.push_back('"');
    for (const auto c : *field.value) {
      if (c == '"' || c == '\\') out.push_back(c);
      out.push_back(c);
    }
    out.push_back('"');
  }
  out.push_back(')');
}

void RecordValue::append_binary(Bytes& out) const {
  append_be(out, static_cast<std::uint32_t>(fields.size()));
  for (const auto& field : fields) {
    append_be(out, field.type_oid);
    append_be(out, field.value ? static_cast<std::uint32_t>(field.value->size()) : kNull);
    if (field.value) append(out, *field.value);
  }
}

}  // namespace theriac::pgwire
