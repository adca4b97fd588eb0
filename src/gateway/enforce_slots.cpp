#include "gateway/enforce_slots.hpp"

#include "gateway/enforce_gather.hpp"
#include "pgwire/array_text.hpp"
#include "pgwire/encoding.hpp"

namespace theriac::gateway {

using rewrite::Slot;

pgwire::ErrorReport report_about(const Error& error, std::string_view subject) {
  auto report = pgwire::report_of(error);
  if (!subject.empty()) report.message.append(" [").append(subject).append("]");
  return report;
}

pgwire::ErrorReport report_of_refusal(const rewrite::Refusal& refusal) {
  pgwire::ErrorReport report;
  report.sqlstate = refusal.sqlstate;
  report.message = "theriac: " + refusal.construct;
  if (!refusal.column.empty()) report.message += " on " + refusal.column;
  report.message +=
      " is refused, since it would give protection away or cannot be kept transparent";
  if (refusal.sqlstate != "0A000") {
    report.message = "theriac: " + refusal.construct;
    if (!refusal.column.empty()) report.message += ": " + refusal.column;
  }
  report.hint = refusal.remedy;
  return report;
}

Refusable<ColumnRef> column_of(const rewrite::Catalogue& catalogue, std::uint32_t relation_oid,
                               std::int16_t attribute) {
  const auto* relation = catalogue.find(relation_oid);
  const auto* column = relation != nullptr ? relation->find_attribute(attribute) : nullptr;
  if (column == nullptr || !column->protection) {
    return refuse(pgwire::report_of(Error{Code::kInternal, "plan names no protected column"}));
  }
  return ColumnRef{relation, column};
}

void Filled::add(Bytes value) {
  owned.push_back(std::make_unique<Bytes>(std::move(value)));
  formats.push_back(1);
  parameters.push_back({false, *owned.back()});
}

void Filled::add_null() {
  formats.push_back(1);
  parameters.push_back({true, {}});
}

namespace {

/// A parameter that stands beside a column's values in a result must be of the column's type: else
/// the result's type would be another one than the client was told.
bool is_like_column(const rewrite::Slot& slot, const ColumnRef& column,
                    const ClientValues& values) {
  const auto* parameter = std::get_if<rewrite::ClientParameter>(&slot.source);
  if (parameter == nullptr || values.declared == nullptr ||
      parameter->number > values.declared->size()) {
    return true;
  }
  const auto sent = (*values.declared)[parameter->number - 1U];
  const auto own = column.column->type.oid;
  const auto is_text = [](std::uint32_t oid) {
    return oid == pgwire::kOidText || oid == pgwire::kOidVarchar;
  };
  return sent == 0 || sent == own || (is_text(sent) && is_text(own));
}

}  // namespace

Refusable<std::optional<std::string>> stored_value(const rewrite::ValueSource& source,
                                                   const ColumnRef& column, bool compare,
                                                   const ClientValues& values,
                                                   const pgwire::TextSettings& settings) {
  std::uint32_t sent_oid = 0;
  std::int16_t format = 0;
  ByteView value;
  if (const auto* literal = std::get_if<rewrite::Literal>(&source)) {
    if (literal->is_null) return std::nullopt;
    sent_oid = literal->sent_oid;
    value = view_of(rewrite::text_of_literal(*literal, values.literals));
  } else {
    const std::size_t index = std::get<rewrite::ClientParameter>(source).number - 1U;
    if (values.bind == nullptr || index >= values.bind->parameters.size()) {
      return refuse(pgwire::report_of(Error{Code::kProtocol, "Bind: number of parameters"}));
    }
    const auto& parameter = values.bind->parameters[index];
    if (parameter.is_null) return std::nullopt;
    format = values.bind->parameter_format(index);
    value = parameter.value;
    if (values.declared != nullptr && index < values.declared->size()) {
      sent_oid = (*values.declared)[index];
    }
    const auto cast_oid = std::get<rewrite::ClientParameter>(source).cast_oid;
    if (cast_oid != 0 && (sent_oid == pgwire::kOidText || sent_oid == pgwire::kOidVarchar)) {
      sent_oid = cast_oid;
      format = 0;  // a text's binary form is its characters
    }
    // PostgreSQL gives a parameter the column's type and reads it without the column's modifier; a
    // comparison may settle on another type of the family, as for a literal.
    if (sent_oid == 0 && !compare) sent_oid = column.column->type.oid;
  }
  const auto& type = column.column->type;
  const auto convert = [&](const pgwire::TextSettings& with) {
    return compare ? pgwire::to_comparand(type, sent_oid, format, value, with)
                   : pgwire::to_stored(type, sent_oid, format, value, with);
  };
  // The statement's text is UTF-8 by now.
  const bool converted = settings.encoding && std::holds_alternative<rewrite::Literal>(source);
  auto stored = convert(converted ? pgwire::without_encoding(settings) : settings);
  if (!stored) return refuse(report_about(stored.error(), column.name()));
  return std::optional<std::string>(std::move(*stored));
}

namespace {

/// A constant array as the client sent it.
struct ListValue {
  pgwire::ArrayValue array;
  std::uint32_t element_oid = 0;  ///< 0: the column's
  std::int16_t format = 0;        ///< of the elements
};

/// nullopt: NULL.
Result<std::optional<ListValue>> list_value(const rewrite::ValueSource& source,
                                            const ClientValues& values,
                                            const pgwire::Encoding* encoding) {
  ListValue out;
  if (const auto* literal = std::get_if<rewrite::Literal>(&source)) {
    if (literal->is_null) return std::nullopt;
    out.element_oid = literal->sent_oid;
    THERIAC_ASSIGN(out.array, pgwire::ArrayValue::parse(
                                  rewrite::text_of_literal(*literal, values.literals), ','));
    return out;
  }
  const std::size_t index = std::get<rewrite::ClientParameter>(source).number - 1U;
  if (values.bind == nullptr || index >= values.bind->parameters.size()) {
    return fail(Code::kProtocol, "Bind: number of parameters");
  }
  const auto& parameter = values.bind->parameters[index];
  if (parameter.is_null) return std::nullopt;
  const bool declared = values.declared != nullptr && index < values.declared->size();
  const auto array_oid = declared ? (*values.declared)[index] : 0;
  const pgwire::ColumnType array_type{array_oid, -1, nullptr};
  if (array_oid != 0) {
    const auto* detail = pgwire::detail_of(array_type);
    if (detail == nullptr || detail->kind != pgwire::TypeKind::kArray) {
      return fail(Code::kUnsupported, "parameter type");
    }
    out.element_oid = detail->element.oid;
  }
  out.format = values.bind->parameter_format(index);
  if (out.format == 0 && encoding != nullptr) {
    THERIAC_ASSIGN(const auto text, encoding->to_utf8(parameter.value));
    THERIAC_ASSIGN(out.array, pgwire::ArrayValue::parse(text, ','));
    return out;
  }
  if (out.format == 0) {
    THERIAC_ASSIGN(out.array, pgwire::ArrayValue::parse(text_of(parameter.value), ','));
    return out;
  }
  // The header says of which type the elements are.
  if (parameter.value.size() < 12) return fail(Code::kMalformed, "array");
  const auto inner = load_be<std::uint32_t>(parameter.value.data() + 8);
  if (out.element_oid != 0 && inner != out.element_oid) return fail(Code::kMalformed, "array");
  out.element_oid = inner;
  THERIAC_ASSIGN(out.array, pgwire::ArrayValue::from_binary(parameter.value, inner));
  return out;
}

struct Filler {
  const rewrite::Catalogue& catalogue;
  const ClientValues& values;
  const pgwire::TextSettings& settings;
  Ciphers& ciphers;
  Random& random;
  Filled filled;
  RowIds row_ids;

  RowId row_id(int row) {
    auto at = row_ids.find(row);
    if (at == row_ids.end()) at = row_ids.emplace(row, random.uuid<RowId>()).first;
    return at->second;
  }

  Refusable<void> pass(const Slot& slot) {
    const auto number = std::get<rewrite::ClientParameter>(slot.source).number;
    const std::size_t index = number - 1U;
    if (values.bind == nullptr || index >= values.bind->parameters.size()) {
      return refuse(pgwire::report_of(Error{Code::kProtocol, "Bind: number of parameters"}));
    }
    filled.formats.push_back(values.bind->parameter_format(index));
    filled.parameters.push_back(values.bind->parameters[index]);
    return {};
  }

  /// What an expression of the column is compared with: a text, whatever the column's type.
  Refusable<void> compare_text(const Slot& slot, const ColumnRef& column) {
    rewrite::Column text;
    text.name = column.column->name;
    const ColumnRef compared{column.relation, &text};
    auto value = stored_value(slot.source, compared, true, values, settings);
    if (!value) return refuse(std::move(value.error()));
    if (!*value) {
      filled.add_null();
      return {};
    }
    const auto made = slot.applied.apply(**value, column.protection().case_map.get());
    auto index = ciphers.index_text(column, made, slot.index);
    if (!index) return refuse(report_about(index.error(), column.name()));
    filled.add(Bytes(index->begin(), index->end()));
    return {};
  }

  /// Each element of an array as a comparand of its own.
  Refusable<void> compare_list(const Slot& slot) {
    auto column = column_of(catalogue, slot.relation_oid, slot.attribute);
    if (!column) return refuse(std::move(column.error()));
    auto list = list_value(slot.source, values, settings.encoding.get());
    if (!list) return refuse(report_about(list.error(), column->name()));
    if (!*list) {
      filled.add_null();
      return {};
    }
    // A list in text form has been converted with its brackets.
    const auto with = (*list)->format == 0 ? pgwire::without_encoding(settings) : settings;
    std::vector<std::optional<Bytes>> indexes;
    for (auto& element : (*list)->array.elements) {
      if (!element) {
        indexes.emplace_back();
        continue;
      }
      auto made = pgwire::to_comparand(column->column->type, (*list)->element_oid, (*list)->format,
                                       view_of(*element), with);
      wipe({reinterpret_cast<std::uint8_t*>(element->data()), element->size()});  // NOLINT
      if (!made) return refuse(report_about(made.error(), column->name()));
      auto index = ciphers.index(*column, *made);
      if (!index) return refuse(report_about(index.error(), column->name()));
      indexes.emplace_back(Bytes(index->begin(), index->end()));
    }
    filled.add(binary_array(pgwire::kOidBytea, indexes));
    return {};
  }

  Refusable<void> protect(const Slot& slot, std::optional<seal::IndexToken>& token) {
    auto column = column_of(catalogue, slot.relation_oid, slot.attribute);
    if (!column) return refuse(std::move(column.error()));
    const bool shown = slot.fill == Slot::Fill::kShow || slot.fill == Slot::Fill::kShowRow;
    const bool compare = slot.fill == Slot::Fill::kCompare || shown;
    if (shown && !is_like_column(slot, *column, values)) {
      return refuse(report_about(Error{Code::kUnsupported, "parameter type"}, column->name()));
    }
    if (compare && slot.index > 0) return compare_text(slot, *column);
    auto stored = stored_value(slot.source, *column, compare, values, settings);
    if (!stored) return refuse(std::move(stored.error()));
    if (!*stored) {
      filled.add_null();
      return {};
    }
    if (slot.fill == Slot::Fill::kSeal || shown) {
      std::optional<RowId> row;
      if (column->relation->bound) row = shown ? random.uuid<RowId>() : row_id(slot.row);
      auto sealed = ciphers.seal(*column, row, **stored);
      wipe({reinterpret_cast<std::uint8_t*>((*stored)->data()), (*stored)->size()});  // NOLINT
      if (!sealed) return refuse(report_about(sealed.error(), column->name()));
      if (slot.fill == Slot::Fill::kShowRow && row) {
        sealed->insert(sealed->begin(), row->bytes.begin(), row->bytes.end());
      }
      filled.add(std::move(*sealed));
      ++filled.sealed;
      return {};
    }
    auto index = ciphers.index(*column, **stored, slot.index);
    wipe({reinterpret_cast<std::uint8_t*>((*stored)->data()), (*stored)->size()});  // NOLINT
    if (!index) return refuse(report_about(index.error(), column->name()));
    filled.add(Bytes(index->begin(), index->end()));
    if (compare) token = *index;
    return {};
  }
};

}  // namespace

Refusable<Filled> fill(const std::vector<Slot>& slots, const rewrite::Catalogue& catalogue,
                       const ClientValues& values, const pgwire::TextSettings& settings,
                       Ciphers& ciphers, Random& random, RowIds row_ids) {
  Filler filler{catalogue, values, settings, ciphers, random, {}, std::move(row_ids)};
  filler.filled.tokens.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto& slot = slots[i];
    Refusable<void> done;
    switch (slot.fill) {
      case Slot::Fill::kPass:
        done = filler.pass(slot);
        break;
      case Slot::Fill::kRowId: {
        const auto id = filler.row_id(slot.row);
        filler.filled.add(Bytes(id.bytes.begin(), id.bytes.end()));
        break;
      }
      case Slot::Fill::kCompareList:
        done = filler.compare_list(slot);
        break;
      case Slot::Fill::kSeal:
      case Slot::Fill::kIndex:
      case Slot::Fill::kCompare:
      case Slot::Fill::kShow:
      case Slot::Fill::kShowRow:
        done = filler.protect(slot, filler.filled.tokens[i]);
        break;
    }
    if (!done) return refuse(std::move(done.error()));
  }
  return std::move(filler.filled);
}

}  // namespace theriac::gateway
