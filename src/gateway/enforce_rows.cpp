#include "gateway/enforce_rows.hpp"

#include <algorithm>

namespace theriac::gateway {
namespace {

std::int16_t format_at(const std::vector<std::int16_t>& formats, std::size_t position) {
  if (formats.empty()) return 0;
  if (formats.size() == 1) return formats.front();
  return position < formats.size() ? formats[position] : std::int16_t{0};
}

}  // namespace

Status decode_bytea_text(ByteView text, Bytes& out) {
  out.clear();
  if (text.size() >= 2 && text[0] == '\\' && text[1] == 'x') {
    return from_hex(text_of(text.subspan(2)), out);
  }
  // bytea_output = escape: backslash doubled, other bytes outside ASCII as three octal digits.
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      out.push_back('\\');
      ++i;
    } else if (i + 3 < text.size()) {
      unsigned value = 0;
      for (std::size_t k = 1; k <= 3; ++k) {
        const auto digit = text[i + k];
        if (digit < '0' || digit > '7') return fail(Code::kMalformed, "bytea");
        value = value * 8 + (digit - '0');
      }
      if (value > 255) return fail(Code::kMalformed, "bytea");
      out.push_back(static_cast<std::uint8_t>(value));
      i += 3;
    } else {
      return fail(Code::kMalformed, "bytea");
    }
  }
  return {};
}

std::vector<std::int16_t> RowMap::server_formats(const std::vector<std::int16_t>& formats,
                                                 std::size_t columns) const {
  if (columns == 0 || rules_.empty() || (formats.size() > 1 && formats.size() != columns)) {
    return formats;
  }
  // Formats that do not exist: the server says so, when it comes to the rows.
  if (std::ranges::any_of(formats, [](std::int16_t one) { return one != 0 && one != 1; })) {
    return formats;
  }
  std::vector<std::int16_t> out(columns);
  for (std::size_t i = 0; i < columns; ++i) out[i] = format_at(formats, i);
  for (const auto& rule : rules_) {
    // A row comes as the client wants it: its other fields stay as they are.
    if (rule.position < columns && rule.fields.empty()) out[rule.position] = 1;
  }
  return out;
}

Result<std::vector<pgwire::FieldDescription>> RowMap::describe(
    const std::vector<pgwire::FieldDescription>& server_fields,
    const std::vector<std::int16_t>& formats) const {
  auto fields = server_fields;
  std::vector<const OutputRule*> by_position(fields.size(), nullptr);
  for (const auto& rule : rules_) {
    if (rule.position >= fields.size()) return fail(Code::kUnsupported, "result columns");
    by_position[rule.position] = &rule;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto& field = fields[i];
    const auto* relation = catalogue_->find(field.table_oid);
    const auto* origin = relation != nullptr ? relation->find_attribute(field.attribute) : nullptr;
    const auto* rule = by_position[i];
    if (rule == nullptr) {
      if (origin != nullptr && (origin->helper || origin->protection)) {
        return fail(Code::kUnsupported, relation->schema + "." + relation->name + " in a result");
      }
      continue;
    }
    const auto& first = rule->origins.front();
    if (!rule->fields.empty()) {
      if (field.table_oid != 0 || field.type_oid != pgwire::kOidRecord) {
        return fail(Code::kUnsupported, first.column.name() + " in a result");
      }
      field.table_oid = rule->row_of;
      field.type_oid = rule->type.oid;
      continue;
    }
    // A view's helper is a plain column whatever its values are made of.
    const bool of_view = relation != nullptr && relation->is_view();
    const bool agrees = field.table_oid == 0 ||
                        (relation != nullptr && relation->oid == first.column.relation->oid &&
                         field.attribute == first.column.protection().sealed_attribute &&
                         (of_view || (!first.with_row_id && rule->origins.size() == 1)));
    if (!agrees || field.type_oid != pgwire::kOidBytea) {
      return fail(Code::kUnsupported, first.column.name() + " in a result");
    }
    // Where PostgreSQL itself names no origin (a scalar sub-select), the client sees none either.
    field.table_oid = rule->names_origin ? first.column.relation->oid : 0;
    field.attribute = rule->names_origin ? first.column.column->attribute : std::int16_t{0};
    field.type_oid = rule->type.oid;
    field.type_modifier = rule->type.modifier;
    field.type_size = pgwire::type_size(rule->type);
    field.format = format_at(formats, i);
  }
  return fields;
}

Status RowMap::describe(ByteView body, const std::vector<std::int16_t>& formats, Bytes& out) {
  if (described_.message.empty() || described_.formats != formats ||
      !std::ranges::equal(described_.body, body)) {
    THERIAC_ASSIGN(const auto fields, pgwire::read_row_description(body));
    THERIAC_ASSIGN(const auto shown, describe(fields, formats));
    described_ = {{body.begin(), body.end()}, {}, formats};
    pgwire::write_row_description(described_.message, shown);
  }
  append(out, described_.message);
  return {};
}

Status RowMap::show(const OutputRule& rule, bool binary, std::int16_t format, ByteView value,
                    const pgwire::TextSettings& settings, Ciphers& ciphers, Bytes& shown,
                    bool& is_null) {
  ByteView sealed = value;
  if (!binary) {
    THERIAC_TRY(decode_bytea_text(value, sealed_));
    sealed = sealed_;
  }
  THERIAC_ASSIGN(const auto* origin, open_value(rule, sealed, ciphers, opened_));
  const auto stored = text_of(opened_);
  if (!rule.found_by.empty()) {
    THERIAC_ASSIGN(const auto token, ciphers.index(origin->column, stored));
    if (std::find(rule.found_by.begin(), rule.found_by.end(), token) == rule.found_by.end()) {
      return fail(Code::kNotAuthentic, "index of " + origin->column.name());
    }
  }
  if (const auto* mask = std::get_if<policy::Masked>(&origin->decision)) {
    std::optional<policy::PseudonymToken> token;
    if (mask->how == policy::MaskKind::kPseudonym && policy::fits(*mask, rule.type)) {
      THERIAC_ASSIGN(token, ciphers.pseudonym(origin->column, stored, mask->recipient));
    }
    const auto masked = policy::apply_mask(*mask, rule.type, stored, token ? &*token : nullptr);
    if (!masked) {
      is_null = true;
      return {};
    }
    return pgwire::render(rule.type, format, *masked, settings, shown);
  }
  return pgwire::render(rule.type, format, stored, settings, shown);
}

Status RowMap::show_row(const OutputRule& rule, std::int16_t format, ByteView value,
                        const pgwire::TextSettings& settings, Ciphers& ciphers, Bytes& shown,
                        std::uint64_t& opened) {
  const bool binary = format == 1;
  THERIAC_ASSIGN(auto row, binary ? pgwire::RecordValue::from_binary(value)
                                  : pgwire::RecordValue::parse(value));
  for (const auto& field : rule.fields) {
    if (field.position >= row.fields.size()) return fail(Code::kUnsupported, "fields of a row");
    auto& one = row.fields[field.position];
    if (binary && one.type_oid != pgwire::kOidBytea) {
      return fail(Code::kUnsupported, "fields of a row");
    }
    one.type_oid = field.type.declared_oid();
    if (!one.value) continue;
    Bytes plain;
    bool is_null = false;
    THERIAC_TRY(show(field, binary, format, *one.value, settings, ciphers, plain, is_null));
    ++opened;
    one.value.reset();
    if (!is_null) one.value = std::move(plain);
  }
  binary ? row.append_binary(shown) : row.append_text(shown);
  for (const auto& field : rule.fields) {
    if (auto& one = row.fields[field.position].value) wipe(*one);
  }
  return {};
}

Result<const OutputOrigin*> open_value(const OutputRule& rule, ByteView sealed, Ciphers& ciphers,
                                       Bytes& out) {
  std::optional<Error> first;
  for (const auto& origin : rule.origins) {
    auto value = sealed;
    std::optional<RowId> row;
    if (origin.with_row_id) {
      if (value.size() < RowId::kSize) {
        if (!first) first = Error{Code::kNotAuthentic, origin.column.name()};
        continue;
      }
      THERIAC_ASSIGN(row, RowId::from(value.first(RowId::kSize)));
      value = value.subspan(RowId::kSize);
    }
    const auto opened = ciphers.open(origin.column, row, value, out);
    if (opened) return &origin;
    if (!first) first = Error{opened.error().code, origin.column.name()};
    // Another origin's value: one of the two may have a row's identity before it. Anything else (a
    // revoked key) is final.
    const auto code = opened.error().code;
    if (code != Code::kNotAuthentic && code != Code::kUnknownKey && code != Code::kMalformed) break;
  }
  return tl::unexpected(std::move(*first));
}

Status RowMap::row(ByteView body, const std::vector<std::int16_t>& asked,
                   const std::vector<std::int16_t>& sent, const pgwire::TextSettings& settings,
                   Ciphers& ciphers, Bytes& out, std::uint64_t& opened) {
  THERIAC_TRY(pgwire::read_data_row(body, columns_));
  shown_.resize(rules_.size());
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const auto& rule = rules_[i];
    if (rule.position >= columns_.size()) return fail(Code::kUnsupported, "result columns");
    auto& column = columns_[rule.position];
    if (column.is_null) continue;
    shown_[i].clear();
    if (!rule.fields.empty()) {
      const auto format = format_at(sent, rule.position);
      if (format != format_at(asked, rule.position)) return fail(Code::kInternal, "row's format");
      THERIAC_TRY(show_row(rule, format, column.value, settings, ciphers, shown_[i], opened));
      column = {false, shown_[i]};
      continue;
    }
    bool is_null = false;
    THERIAC_TRY(show(rule, format_at(sent, rule.position) == 1, format_at(asked, rule.position),
                     column.value, settings, ciphers, shown_[i], is_null));
    column = {is_null, shown_[i]};
    ++opened;
  }
  pgwire::write_data_row(out, columns_);
  if (!opened_.empty()) wipe(opened_);
  return {};
}

}  // namespace theriac::gateway
