#include "gateway/enforce_gather.hpp"

#include <algorithm>
#include <set>

#include "pgwire/messages.hpp"

namespace theriac::gateway {
namespace {

using rewrite::Gather;

constexpr std::uint32_t kOidTid = 27, kOidTidArray = 1010, kOidByteaArray = 1001, kOidUuid = 2950,
                        kOidUuidArray = 2951;

Refusable<RowId> row_id_of(const std::optional<Bytes>& value) {
  const auto id = value ? RowId::from(*value) : Result<RowId>(fail(Code::kNotAuthentic));
  if (!id) return refuse(report_about(Error{Code::kNotAuthentic, "theriac_row"}, {}));
  return *id;
}

struct Maker {
  const GatherInput& input;
  Ciphers& ciphers;
  Random& random;
  Filled& filled;
  std::vector<std::optional<RowId>> row_ids;  ///< of the rows written, if the table is bound
  Bytes opened;

  /// Existing rows keep their identity, new ones get one.
  Refusable<void> find_row_ids() {
    row_ids.resize(input.rows.size());
    for (std::size_t i = 0; i < input.gather.columns.size(); ++i) {
      if (input.gather.columns[i].kind != Gather::Column::Kind::kRowId) continue;
      for (std::size_t k = 0; k < input.rows.size(); ++k) {
        auto id = row_id_of(input.rows[k][i]);
        if (!id) return refuse(std::move(id.error()));
        row_ids[k] = *id;
      }
    }
    const auto& arrays = input.gather.arrays;
    const bool fresh = std::any_of(arrays.begin(), arrays.end(), [](const Gather::Array& one) {
      return one.kind == Gather::Array::Kind::kRowId;
    });
    for (auto& id : row_ids) {
      if (fresh) id = random.uuid<RowId>();
    }
    return {};
  }

  /// The value for one row in the written column's stored form; nullopt is NULL.
  Refusable<std::optional<std::string>> stored(const Gather::Array& array, const ColumnRef& column,
                                               std::size_t row) {
    const auto* place = std::get_if<std::size_t>(&array.source);
    if (place == nullptr) {
      return stored_value(std::get<rewrite::ValueSource>(array.source), column, false, input.values,
                          input.settings);
    }
    const auto& value = input.rows[row][*place];
    if (!value) return std::nullopt;
    const auto& type = column.column->type;
    const auto& rule = input.rules[*place];
    auto made = [&]() -> Result<std::string> {
      if (!rule) return pgwire::to_stored(type, type.oid, 1, *value, input.settings);
      THERIAC_ASSIGN(const auto* origin, open_value(*rule, *value, ciphers, opened));
      static_cast<void>(origin);
      // A stored form reads under the settings it is defined with.
      return pgwire::to_stored(type, rule->type.oid, 0, opened, {});
    }();
    if (!made) return refuse(report_about(made.error(), column.name()));
    return std::optional<std::string>(std::move(*made));
  }

  Refusable<Bytes> protect(const Gather::Array& array) {
    auto column = column_of(input.catalogue, array.relation_oid, array.attribute);
    if (!column) return refuse(std::move(column.error()));
    std::vector<std::optional<Bytes>> elements;
    elements.reserve(input.rows.size());
    for (std::size_t row = 0; row < input.rows.size(); ++row) {
      auto value = stored(array, *column, row);
      if (!value) return refuse(std::move(value.error()));
      if (!*value) {
        elements.emplace_back();
        continue;
      }
      if (array.kind == Gather::Array::Kind::kSeal) {
        // One sealing for each row: equal bytes in several rows would show equality.
        auto sealed = ciphers.seal(*column, row_ids[row], **value);
        if (!sealed) return refuse(report_about(sealed.error(), column->name()));
        elements.emplace_back(std::move(*sealed));
        ++filled.sealed;
      } else {
        const auto index = ciphers.index(*column, **value, array.index);
        if (!index) return refuse(report_about(index.error(), column->name()));
        elements.emplace_back(Bytes(index->begin(), index->end()));
      }
      wipe({reinterpret_cast<std::uint8_t*>((*value)->data()), (*value)->size()});  // NOLINT
    }
    return binary_array(pgwire::kOidBytea, elements);
  }

  Refusable<Bytes> make(const Gather::Array& array) {
    std::vector<std::optional<Bytes>> elements;
    switch (array.kind) {
      case Gather::Array::Kind::kTid:
      case Gather::Array::Kind::kValue: {
        const auto place = std::get<std::size_t>(array.source);
        for (const auto& row : input.rows) elements.push_back(row[place]);
        return binary_array(array.kind == Gather::Array::Kind::kTid ? kOidTid : array.element_oid,
                            elements);
      }
      case Gather::Array::Kind::kRowId:
        for (const auto& id : row_ids)
          elements.emplace_back(Bytes(id->bytes.begin(), id->bytes.end()));
        return binary_array(kOidUuid, elements);
      default:
        return protect(array);
    }
  }
};

/// ctid, and the table where a row may be of several.
Bytes identity_of(const Gather& gather, const std::vector<std::optional<Bytes>>& row) {
  Bytes out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto kind = gather.columns[i].kind;
    const bool names = kind == Gather::Column::Kind::kTid || kind == Gather::Column::Kind::kTable;
    if (names && row[i]) append(out, *row[i]);
  }
  return out;
}

}  // namespace

Refusable<RowIds> kept_identities(const Gather& gather, const GatheredRows& rows) {
  RowIds out;
  if (!gather.keeps_identities()) return out;
  for (const auto& row : rows) {
    if (row.size() != 2 || !row[0] || row[0]->size() != sizeof(std::uint32_t)) {
      return refuse(pgwire::report_of(Error{Code::kProtocol, "columns of gathered rows"}));
    }
    auto id = row_id_of(row[1]);
    if (!id) return refuse(std::move(id.error()));
    out.emplace(static_cast<int>(load_be<std::uint32_t>(row[0]->data())), *id);
  }
  return out;
}

bool meets_new_row(const rewrite::Statement& statement, ByteView error) {
  constexpr std::string_view kArraySubscriptError = "2202E";
  constexpr std::string_view kPlacesOfUuid = "0..15";  // in every language of the server
  if (!statement.gather || !statement.gather->keeps_identities()) return false;
  const auto fields = pgwire::read_notice(error);
  const auto has = [&](char code, std::string_view part) {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
      return field.code == code && field.text.contains(part);
    });
  };
  return has('C', kArraySubscriptError) && has('M', kPlacesOfUuid);
}

Refusable<void> fill_arrays(const GatherInput& input, Ciphers& ciphers, Random& random,
                            Filled& filled) {
  const auto& gather = input.gather;
  std::set<Bytes> seen;
  for (const auto& row : input.rows) {
    if (row.size() != gather.columns.size()) {
      return refuse(pgwire::report_of(Error{Code::kProtocol, "columns of gathered rows"}));
    }
    if (gather.once_each && !seen.insert(identity_of(gather, row)).second) {
      return refuse({.sqlstate = "0A000",
                     .message = "theriac: UPDATE ... FROM that meets a row more than once is "
                                "refused, since it is not certain which value it would get",
                     .hint = "join so that each row is met once"});
    }
  }
  if (gather.first_parameter != filled.parameters.size() + 1) {
    return refuse(pgwire::report_of(Error{Code::kInternal, "order of array parameters"}));
  }
  Maker maker{input, ciphers, random, filled, {}, {}};
  auto found = maker.find_row_ids();
  if (!found) return found;
  for (const auto& array : gather.arrays) {
    auto made = maker.make(array);
    if (!made) return refuse(std::move(made.error()));
    filled.add(std::move(*made));
  }
  if (!maker.opened.empty()) wipe(maker.opened);
  return {};
}

std::vector<std::uint32_t> array_types(const rewrite::Gather& gather) {
  std::vector<std::uint32_t> types;
  for (const auto& array : gather.arrays) {
    switch (array.kind) {
      case Gather::Array::Kind::kTid:
        types.push_back(kOidTidArray);
        break;
      case Gather::Array::Kind::kValue:
        types.push_back(0);
        break;
      case Gather::Array::Kind::kRowId:
        types.push_back(kOidUuidArray);
        break;
      default:
        types.push_back(kOidByteaArray);
    }
  }
  return types;
}

Bytes binary_array(std::uint32_t element_oid, const std::vector<std::optional<Bytes>>& elements) {
  Bytes out;
  append_be(out, std::uint32_t{elements.empty() ? 0U : 1U});  // dimensions
  bool has_null = false;
  for (const auto& element : elements) has_null = has_null || !element;
  append_be(out, std::uint32_t{has_null ? 1U : 0U});
  append_be(out, element_oid);
  if (elements.empty()) return out;
  append_be(out, static_cast<std::uint32_t>(elements.size()));
  append_be(out, std::uint32_t{1});  // lower bound
  for (const auto& element : elements) {
    if (!element) {
      append_be(out, ~std::uint32_t{0});
      continue;
    }
    append_be(out, static_cast<std::uint32_t>(element->size()));
    append(out, *element);
  }
  return out;
}

}  // namespace theriac::gateway
