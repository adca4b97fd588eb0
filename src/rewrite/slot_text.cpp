#include "rewrite/slot_text.hpp"

#include <pg_query.h>

#include <charconv>

#include "pgwire/array_text.hpp"
#include "pgwire/types.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {
namespace {

struct ScanGuard {
  PgQueryScanResult result;
  ~ScanGuard() { pg_query_free_scan_result(result); }
};

/// A list of indexes, in PostgreSQL's binary form.
Result<std::string> list_literal(ByteView value) {
  THERIAC_ASSIGN(const auto list, pgwire::ArrayValue::from_binary(value, pgwire::kOidBytea));
  std::string text = "(ARRAY[";
  for (const auto& element : list.elements) {
    if (text.back() != '[') text += ", ";
    text += element ? "E'\\\\x" + to_hex(view_of(*element)) + "'" : "NULL";
  }
  return text + "]::pg_catalog.bytea[])";
}

Result<std::string> literal(const Slot& slot, const std::optional<ByteView>& value) {
  if (slot.fill == Slot::Fill::kCompareList && value) return list_literal(*value);
  const bool is_row = slot.fill == Slot::Fill::kRowId;
  std::string text = "(";
  if (!value) {
    text += "NULL";
  } else {
    text += is_row ? "'" : "E'\\\\x";  // with standard_conforming_strings off, too
    text += to_hex(*value);
    text += "'";
  }
  if (slot.fill == Slot::Fill::kCompareList) return text + "::pg_catalog.bytea[])";
  return text + (is_row ? "::pg_catalog.uuid)" : "::pg_catalog.bytea)");
}

}  // namespace

Result<std::string> with_literals(std::string_view sql, const std::vector<Slot>& slots,
                                  std::span<const std::optional<ByteView>> values) {
  if (values.size() != slots.size()) return fail(Code::kInternal, "values of slots");
  if (slots.empty()) return std::string(sql);
  const std::string text(sql);
  const ScanGuard scan{pg_query_scan(text.c_str())};
  pg::ScanResult tokens;
  if (scan.result.error != nullptr ||
      !tokens.ParseFromArray(scan.result.pbuf.data, static_cast<int>(scan.result.pbuf.len))) {
    return fail(Code::kSyntax, "text of a plan");
  }
  std::string out;
  std::size_t done = 0;
  for (const auto& token : tokens.tokens()) {
    if (token.token() != pg::PARAM) continue;
    const auto begin = static_cast<std::size_t>(token.start());
    const auto end = static_cast<std::size_t>(token.end());
    std::size_t number = 0;
    if (begin < done || end > text.size() || text[begin] != '$' ||
        std::from_chars(text.data() + begin + 1, text.data() + end, number).ptr !=
            text.data() + end ||
        number == 0 || number > slots.size()) {
      return fail(Code::kInternal, "a parameter of a plan");
    }
    const auto& slot = slots[number - 1];
    if (slot.fill == Slot::Fill::kPass)
      return fail(Code::kInternal, "a client's parameter in a text");
    out.append(text, done, begin - done);
    THERIAC_ASSIGN(const auto written, literal(slot, values[number - 1]));
    out += written;
    done = end;
  }
  out.append(text, done);
  return out;
}

}  // namespace theriac::rewrite
