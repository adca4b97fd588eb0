// Parameters by name: fixed ones in tables, families by what their names are made of.
#include <algorithm>
#include <set>

#include "epcis/context.hpp"
#include "epcis/json_tree.hpp"
#include "epcis/query_conditions.hpp"
#include "epcis/query_input.hpp"
#include "epcis/query_tables.hpp"
#include "epcis/value_reader.hpp"

namespace theriac::epcis {

namespace {

using Condition = Query::Condition;
bool cut(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

class QueryParser {
 public:
  explicit QueryParser(Context context) : context_(std::move(context)) {}

  tl::expected<Query, QueryError> parse(const std::vector<Input>& inputs) {
    if (inputs.size() > kQueryParametersMax) {
      return tl::unexpected(QueryError{QueryFault::kTooComplex, {}});
    }
    std::set<std::string_view> seen;
    for (const Input& input : inputs) {
      if (input.values.size() > kQueryValuesMax) return fault(QueryFault::kTooComplex, input);
      if (!seen.insert(input.name).second) return fault(QueryFault::kRepeated, input);
      if (const auto added = add(input); !added) return fault(added.error(), input);
    }
    if (query_.count_limit_ && query_.count_max_) {
      return tl::unexpected(QueryError{QueryFault::kContradiction, "maxEventCount"});
    }
    if (descending_ && order_by_.empty()) {
      return tl::unexpected(QueryError{QueryFault::kContradiction, "orderDirection"});
    }
    if (!set_order()) return tl::unexpected(QueryError{QueryFault::kBadValue, "orderBy"});
    return std::move(query_);
  }

 private:
  static tl::unexpected<QueryError> fault(QueryFault fault, const Input& input) {
    return tl::unexpected(QueryError{fault, input.name});
  }
  Parsed<void> add_condition(Condition condition) {
    query_.conditions_.push_back(std::move(condition));
    return {};
  }
  static tl::unexpected<QueryFault> unknown() {
    return tl::unexpected(QueryFault::kUnknownParameter);
  }

  Parsed<void> add(const Input& input) {
    const std::string_view name = input.name;
    for (const EqualityParameter& one : kEqualities) {
      if (one.name == name) return add_equality(one, input);
    }
    for (const MatchParameter& one : match_parameters()) {
      if (one.name != name) continue;
      const auto values = uris_of(input);
      if (!values) return tl::unexpected(values.error());
      const auto patterns = std::ranges::count_if(
          *values, [](const std::string& value) { return EpcPattern::parse(value).has_value(); });
      if (static_cast<std::size_t>(patterns) > kQueryPatternsMax) {
        return tl::unexpected(QueryFault::kTooComplex);
      }
      return add_condition(matches_any(one.fields, *values));
    }
    if (name == "WD_readPoint" || name == "WD_bizLocation") {
      auto values = uris_of(input);
      if (!values) return tl::unexpected(values.error());
      return add_condition(within(std::string(name.substr(3)), std::move(*values)));
    }
    if (name.starts_with("EXISTS_")) return add_exists(input);
    if (name.starts_with("HASATTR_") || name.starts_with("EQATTR_") ||
        name.starts_with("EQ_ATTR_")) {
      return add_attribute(input);
    }
    for (const TypedParameter& one : kTyped) {
      std::string_view type = name;
      if (cut(type, one.prefix)) return add_typed(one, type, input);
    }
    for (const auto& [prefix, comparison] : kComparisons) {
      std::string_view rest = name;
      if (cut(rest, prefix)) return add_comparison(rest, comparison, input);
    }
    return add_control(input);
  }

  Parsed<void> add_equality(const EqualityParameter& parameter, const Input& input) {
    const auto texts = texts_of(input);
    if (!texts) return tl::unexpected(texts.error());
    std::vector<Term> terms;
    for (const std::string& text : *texts) {
      std::string value = text;
      switch (parameter.values) {
        case kId:
          if (!is_uri(text)) return bad();
          value = canonical_id(text);
          break;
        case kUri:
          if (!is_uri(text)) return bad();
          break;
        case kWord: {
          const WordReading reading = read_word(parameter.vocabulary, text);
          if (!reading.standard && !is_uri(text)) return bad();
          value = reading.word.value;
          break;
        }
        case kEventType:  // other types than the five may exist, but no event here has one
          if (!event_type_of(text) && !is_uri(text)) return bad();
          break;
        case kAction:
          if (!action_of(text)) return bad();
          break;
      }
      terms.push_back({std::string(parameter.field), std::move(value)});
    }
    return add_condition(has_term(std::move(terms)));
  }

  Parsed<void> add_typed(const TypedParameter& parameter, std::string_view type,
                         const Input& input) {
    const WordReading reading = read_word(parameter.vocabulary, type);
    std::string word = reading.word.value;
    if (!reading.standard && !is_uri(word)) {
      const bool name = !type.empty() && std::ranges::all_of(type, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
      });
      if (!name) return unknown();
    }
    const auto ids = uris_of(input);
    if (!ids) return tl::unexpected(ids.error());
    std::vector<Term> terms;
    for (const std::string& id : *ids) {
      terms.push_back({std::string(parameter.field), typed_value({.value = word}, id)});
    }
    return add_condition(has_term(std::move(terms)));
  }

  Parsed<void> add_exists(const Input& input) {
    std::string_view rest = std::string_view(input.name).substr(7);
    const auto wanted = asked(input);
    if (rest == "errorDeclaration" || rest == "sensorElementList" || rest == "sensorElement") {
      if (!wanted) return tl::unexpected(wanted.error());
      if (!*wanted) return {};
      const bool error = rest == "errorDeclaration";
      return add_condition(has_term({{error ? "errorDeclaration" : "sensorElementList", "yes"}}));
    }
    const auto field = extension_field(rest);
    if (!field) return tl::unexpected(field.error());
    if (!wanted) return tl::unexpected(wanted.error());
    if (!*wanted) return {};
    return add_condition(
        extension_compares(field->place, field->inner, field->name, Comparison::kEqual, {}));
  }

  struct ExtensionField {
    Place place = Place::kEvent;
    bool inner = false;
    FieldName name;
  };
  /// "INNER_ILMD_ext:field"
  Parsed<ExtensionField> extension_field(std::string_view rest) {
    ExtensionField out;
    out.inner = cut(rest, "INNER_");
    for (const auto& [prefix, place] : kPlaces) {
      if (cut(rest, prefix)) {
        out.place = place;
        break;
      }
    }
    if (rest.find(':') == std::string_view::npos) return unknown();
    const auto name = context_.resolve(rest);
    if (!name) return tl::unexpected(QueryFault::kUnknownPrefix);
    if (name->local.empty()) return unknown();
    out.name = {std::string(name->ns), std::string(name->local)};
    return out;
  }

  /// "HASATTR_bizLocation" with names; "EQATTR_bizLocation_<name>" with values.
  Parsed<void> add_attribute(const Input& input) {
    std::string_view rest = input.name;
    const auto texts = texts_of(input);
    if (cut(rest, "HASATTR_")) {
      const auto field = vocabulary_field(rest);
      if (!field) return tl::unexpected(field.error());
      if (!texts) return tl::unexpected(texts.error());
      for (const std::string& attribute : *texts) {
        add_condition(attribute_compares(*field, attribute, {}));
      }
      return {};
    }
    if (!cut(rest, "EQATTR_")) cut(rest, "EQ_ATTR_");
    const std::size_t bar = rest.find('_');
    if (bar == std::string_view::npos || bar + 1 == rest.size()) return unknown();
    const auto field = vocabulary_field(rest.substr(0, bar));
    if (!field) return tl::unexpected(field.error());
    if (!texts) return tl::unexpected(texts.error());
    return add_condition(
        attribute_compares(*field, std::string(rest.substr(bar + 1)), operands(*texts)));
  }
  /// One of the standard's, or an extension of the event.
  Parsed<FieldName> vocabulary_field(std::string_view name) {
    constexpr std::string_view kNames[] = {
        "readPoint", "bizLocation", "bizStep",  "disposition",   "bizTransaction",
        "source",    "destination", "epcClass", "inputEPCClass", "outputEPCClass"};
    if (std::ranges::find(kNames, name) != std::end(kNames))
      return FieldName{{}, std::string(name)};
    const auto field = extension_field(name);
    if (!field) return tl::unexpected(field.error());
    if (field->place != Place::kEvent || field->inner) return unknown();
    return field->name;
  }
  static std::vector<Operand> operands(const std::vector<std::string>& texts) {
    std::vector<Operand> out;
    for (const std::string& text : texts) out.push_back(operand_of(text));
    return out;
  }

  /// What stands behind EQ_, GT_, GE_, LT_ or LE_.
  Parsed<void> add_comparison(std::string_view rest, Comparison comparison, const Input& input) {
    if (rest == "errorDeclarationTime") rest = "errorDeclaration_Time";
    for (const TimeParameter& one : kTimes) {
      if (one.name == rest) return add_time(one, comparison, input);
    }
    if (comparison == Comparison::kEqual) {
      if (const auto done = add_sensor_text(rest, input)) return *done;
    }
    if (const auto done = add_number(rest, comparison, input)) return *done;
    const auto field = extension_field(rest);
    if (!field) return tl::unexpected(field.error());
    const bool equal = comparison == Comparison::kEqual;
    if ((field->place == Place::kReadPoint || field->place == Place::kBizLocation) && !equal) {
      return unknown();
    }
    std::vector<Operand> values;
    for (const Value& value : input.values) {
      values.push_back(operand_of(value.text));
      const bool scalar = !value.type || *value.type == Scalar::kText ||
                          *value.type == Scalar::kInteger || *value.type == Scalar::kDouble;
      // Only numbers and times are greater or less.
      if (!scalar || (!equal && !values.back().number && !values.back().time)) return bad();
    }
    if (values.empty() || (!equal && values.size() != 1)) return bad();
    return add_condition(
        extension_compares(field->place, field->inner, field->name, comparison, values));
  }

  Parsed<void> add_time(const TimeParameter& parameter, Comparison comparison, const Input& input) {
    const bool from = comparison == Comparison::kGreaterOrEqual;
    if (!from && comparison != Comparison::kLess) return unknown();
    const auto time = time_of_input(input);
    if (!time) return tl::unexpected(time.error());
    if (parameter.name == "eventTime")
      (from ? query_.event_time_.from_ms : query_.event_time_.to_ms) = *time;
    if (parameter.name == "recordTime")
      (from ? query_.record_time_.from_ms : query_.record_time_.to_ms) = *time;
    return add_condition({.holds = [times = parameter.times, comparison, ms = *time](
                                       const Event& event, const MasterDataLookup&) {
      return std::ranges::any_of(times(event),
                                 [&](std::int64_t one) { return compare(one, comparison, ms); });
    }});
  }

  /// Values of sensor reports that are no numbers.
  std::optional<Parsed<void>> add_sensor_text(std::string_view rest, const Input& input) {
    using Text = std::string SensorReport::*;
    const auto reports = [](auto holds) -> Condition {
      return {.holds = [holds](const Event& event, const MasterDataLookup&) {
        return std::ranges::any_of(event.sensor_elements, [&](const SensorElement& element) {
          return std::ranges::any_of(element.reports, holds);
        });
      }};
    };
    if (rest == "booleanValue") {
      const bool one = input.values.size() == 1 &&
                       (!input.values[0].type || input.values[0].type == Scalar::kBoolean);
      const std::string text = one ? input.values[0].text : "";
      if (text != "true" && text != "false") return bad();
      return add_condition(reports([wanted = text == "true"](const SensorReport& report) {
        return report.boolean_value == wanted;
      }));
    }
    if (rest != "stringValue" && rest != "hexBinaryValue" && rest != "uriValue") {
      return std::nullopt;
    }
    const auto texts = texts_of(input);
    if (!texts) return tl::unexpected(texts.error());
    if (rest == "stringValue") {
      return add_condition(reports([wanted = *texts](const SensorReport& report) {
        return report.string_value &&
               std::ranges::find(wanted, *report.string_value) != wanted.end();
      }));
    }
    const Text which =
        rest == "uriValue" ? &SensorReport::uri_value : &SensorReport::hex_binary_value;
    return add_condition(reports([wanted = *texts, which](const SensorReport& report) {
      // Hexadecimal digits have no case; neither form of an identifier counts.
      return !(report.*which).empty() && std::ranges::any_of(wanted, [&](const std::string& text) {
        return which == &SensorReport::uri_value
                   ? canonical_id(text) == canonical_id(report.*which)
                   : std::ranges::equal(text, report.*which, {}, lower, lower);
      });
    }));
  }
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

  /// "quantity", "quantity_KGM", "percRank", "value_CEL".
  std::optional<Parsed<void>> add_number(std::string_view rest, Comparison comparison,
                                         const Input& input) {
    const std::size_t bar = rest.find('_');
    const std::string_view field = rest.substr(0, bar);
    const bool has_uom = bar != std::string_view::npos;
    const std::string uom(has_uom ? rest.substr(bar + 1) : std::string_view());
    if (has_uom && !is_query_uom(uom)) return std::nullopt;
    const auto measure = std::ranges::find(kMeasures, field, &MeasureName::name);
    const bool known = field == "quantity" || (field == "percRank" && !has_uom) ||
                       (measure != std::end(kMeasures) && has_uom);
    if (!known) return std::nullopt;
    const auto values = numbers_of(input);
    if (!values) return tl::unexpected(values.error());
    if (comparison != Comparison::kEqual && values->size() != 1) return bad();
    if (field == "quantity") return add_condition(quantity_compares(uom, comparison, *values));
    if (field == "percRank") {
      return add_condition(
          sensor_compares(&SensorReport::perc_rank, false, {}, comparison, *values));
    }
    return add_condition(
        sensor_compares(measure->measure, measure->difference, uom, comparison, *values));
  }

  Parsed<void> add_control(const Input& input) {
    const auto set_count = [&](std::optional<std::uint64_t>& out) -> Parsed<void> {
      const auto count = count_of(input);
      if (!count) return tl::unexpected(count.error());
      out = *count;
      return {};
    };
    if (input.name == "eventCountLimit") return set_count(query_.count_limit_);
    if (input.name == "maxEventCount") return set_count(query_.count_max_);
    if (input.name == "perPage") return set_count(query_.per_page_);
    const bool text =
        input.name == "orderBy" || input.name == "orderDirection" || input.name == "nextPageToken";
    if (!text) return unknown();
    const auto value = one_text(input);
    if (!value) return tl::unexpected(value.error());
    if (input.name == "orderBy") order_by_ = *value;
    if (input.name == "nextPageToken") query_.next_page_token_ = *value;
    if (input.name == "orderDirection") {
      if (*value != "ASC" && *value != "DESC") return bad();
      descending_ = *value == "DESC";
    }
    return {};
  }

  /// eventTime, recordTime, or an extension of the event; the standard's default is descending.
  bool set_order() {
    if (order_by_.empty()) return true;
    const bool descending = descending_.value_or(true);
    if (order_by_ == "eventTime" || order_by_ == "recordTime") {
      const bool event_time = order_by_ == "eventTime";
      query_.order_ = std::make_shared<Query::Order>([=](const Event& a, const Event& b) {
        const auto key = [&](const Event& event) {
          return event_time ? event.event_time.ms : event.record_time.value_or(event.event_time).ms;
        };
        return descending ? key(a) > key(b) : key(a) < key(b);
      });
      return true;
    }
    const auto field = extension_field(order_by_);
    if (!field || field->place != Place::kEvent || field->inner) return false;
    query_.order_ =
        std::make_shared<Query::Order>([=, name = field->name](const Event& a, const Event& b) {
          const auto key = [&](const Event& event) {
            const auto found = std::ranges::find_if(event.extensions, [&](const Element& one) {
              return one.name == name.local && same_namespace(one.ns, name.ns);
            });
            return found == event.extensions.end() ? Operand{} : operand_of(trimmed(found->text));
          };
          const Operand left = key(a);
          const Operand right = key(b);
          const auto less = [](const Operand& x, const Operand& y) {
            if (x.time && y.time) return x.time->ms < y.time->ms;
            if (x.number && y.number) return *x.number < *y.number;
            // Numbers before times before texts, so that the order is one.
            const auto rank = [](const Operand& one) { return one.number ? 0 : one.time ? 1 : 2; };
            if (rank(x) != rank(y)) return rank(x) < rank(y);
            return x.text < y.text;
          };
          return descending ? less(right, left) : less(left, right);
        });
    return true;
  }

  Context context_;
  Query query_;
  std::string order_by_;
  std::optional<bool> descending_;
};

namespace {

Context context_of(const std::vector<Namespace>& namespaces) {
  Context context;
  Report report(ProblemCodes{});
  Element declared;
  declared.type = Scalar::kObject;
  for (const Namespace& one : namespaces) {
    declared.children.push_back({.name = one.prefix, .text = one.uri});
  }
  context.add(declared, report, nullptr, nullptr);
  return context;
}

}  // namespace

tl::expected<Query, QueryError> Query::parse(std::span<const Parameter> parameters,
                                             const std::vector<Namespace>& namespaces) {
  std::vector<Input> inputs;
  for (const Parameter& parameter : parameters) {
    Input input{parameter.name, {}};
    for (const std::string& value : parameter.values) input.values.push_back({value, std::nullopt});
    inputs.push_back(std::move(input));
  }
  return QueryParser(context_of(namespaces)).parse(inputs);
}

tl::expected<Query, QueryError> Query::parse_json(std::string_view text,
                                                  const std::vector<Namespace>& namespaces) {
  const auto tree = scan_json_document(text);
  const QueryError none{QueryFault::kNotAQuery, {}};
  if (!tree || tree->type != Scalar::kObject) return tl::unexpected(none);
  Context context = context_of(namespaces);
  std::vector<Input> inputs;
  for (const Element& member : tree->children) {
    if (member.name == "@context") {
      Report report(ProblemCodes{});
      context.add(member, report, nullptr, nullptr);
      if (report.fatal()) return tl::unexpected(QueryError{QueryFault::kNotAQuery, "@context"});
      continue;
    }
    Input input{member.name, {}};
    if (member.type == Scalar::kArray) {
      for (const Element& value : member.children) {
        input.values.push_back({value.text, value.type});
      }
    } else if (member.type != Scalar::kNull) {
      input.values.push_back({member.text, member.type});
    }
    inputs.push_back(std::move(input));
  }
  return QueryParser(std::move(context)).parse(inputs);
}

}  // namespace theriac::epcis
