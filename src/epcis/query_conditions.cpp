#include "epcis/query_conditions.hpp"

#include <algorithm>
#include <set>

namespace theriac::epcis {

namespace {

using Condition = Query::Condition;
using Visit = std::function<bool(const Element&)>;

bool is_named(std::string_view ns, std::string_view name, const FieldName& wanted) {
  return name == wanted.local && same_namespace(ns, wanted.ns);
}

/// Attributes are fields as children are.
bool any_inner(const Element& element, const FieldName& name,
               const std::function<bool(std::string_view)>& holds) {
  for (const Attribute& one : element.attributes) {
    if (is_named(one.ns, one.name, name) && holds(one.value)) return true;
  }
  return std::ranges::any_of(element.children, [&](const Element& child) {
    return (is_named(child.ns, child.name, name) && holds(child.text)) ||
           any_inner(child, name, holds);
  });
}

/// Whether any list of extensions at the place fulfils `holds`.
bool any_list(const Event& event, Place place,
              const std::function<bool(const std::vector<Element>&)>& holds) {
  switch (place) {
    case Place::kEvent:
      return holds(event.extensions);
    case Place::kIlmd:
      return holds(event.ilmd);
    case Place::kErrorDeclaration:
      return event.error_declaration && holds(event.error_declaration->extensions);
    case Place::kReadPoint:
      return event.read_point && holds(event.read_point->extensions);
    case Place::kBizLocation:
      return event.biz_location && holds(event.biz_location->extensions);
    case Place::kSensorElement:
      return std::ranges::any_of(event.sensor_elements, [&](const SensorElement& element) {
        return holds(element.extensions);
      });
    case Place::kSensorMetadata:
      return std::ranges::any_of(event.sensor_elements, [&](const SensorElement& element) {
        return element.metadata && holds(element.metadata->extensions);
      });
    case Place::kSensorReport:
      return std::ranges::any_of(event.sensor_elements, [&](const SensorElement& element) {
        return std::ranges::any_of(
            element.reports, [&](const SensorReport& report) { return holds(report.extensions); });
      });
  }
  return false;
}

bool compare_converted(double value, std::string_view uom, bool difference,
                       std::string_view wanted_uom, Comparison comparison, double wanted) {
  if (uom == wanted_uom) return compare_measured(value, comparison, wanted);
  const auto unit = unit_of(uom);
  const auto wanted_unit = unit_of(wanted_uom);
  if (!unit || !wanted_unit || unit->quantity != wanted_unit->quantity) return false;
  const auto base = difference ? difference_to_base : to_base;
  return compare_measured(base(*unit, value), comparison, base(*wanted_unit, wanted));
}

template <typename Fn>
void for_each_id(const Event& event, std::string_view field, Fn fn) {
  const auto ids = [&](const std::vector<std::string>& list) { std::ranges::for_each(list, fn); };
  const auto classes = [&](const std::vector<QuantityElement>& list) {
    for (const QuantityElement& one : list) fn(one.epc_class);
  };
  if (field == "epc") return ids(event.epcs);
  if (field == "parentID" && !event.parent_id.empty()) return fn(event.parent_id);
  if (field == "inputEPC") return ids(event.input_epcs);
  if (field == "outputEPC") return ids(event.output_epcs);
  if (field == "epcClass") return classes(event.quantities);
  if (field == "inputEPCClass") return classes(event.input_quantities);
  if (field == "outputEPCClass") return classes(event.output_quantities);
}

/// Values of a vocabulary field, for look-ups in master data.
std::vector<std::string> values_of(const Event& event, const FieldName& name) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view value) {
    if (!value.empty()) out.emplace_back(value);
  };
  if (!name.ns.empty()) {
    for (const Element& one : event.extensions) {
      if (is_named(one.ns, one.name, name)) add(trimmed(one.text));
    }
    return out;
  }
  const std::string_view field = name.local;
  if (field == "readPoint" && event.read_point) add(event.read_point->id);
  if (field == "bizLocation" && event.biz_location) add(event.biz_location->id);
  if (field == "bizStep") add(event.biz_step.value);
  if (field == "disposition") add(event.disposition.value);
  const auto typed = [&](const std::vector<TypedId>& list) {
    for (const TypedId& one : list) add(one.id);
  };
  if (field == "bizTransaction") typed(event.biz_transactions);
  if (field == "source") typed(event.sources);
  if (field == "destination") typed(event.destinations);
  for_each_id(event, field, add);
  return out;
}

}  // namespace

bool same_namespace(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view ns) {
    return ns.ends_with('/') || ns.ends_with('#') || ns.ends_with(':') ? ns.substr(0, ns.size() - 1)
                                                                       : ns;
  };
  return bare(a) == bare(b);
}

Condition has_term(std::vector<Term> terms) {
  return {.terms = [terms = std::move(terms)](const MasterDataLookup&) { return terms; }};
}

Condition within(std::string field, std::vector<std::string> ids) {
  return {
      .terms = [field = std::move(field), ids = std::move(ids)](const MasterDataLookup& lookup) {
        std::vector<Term> out;
        for (const std::string& id : ids) {
          out.push_back({field, canonical_id(id)});
          if (!lookup.descendants) continue;
          for (const std::string& below : lookup.descendants(id)) {
            out.push_back({field, canonical_id(below)});
          }
        }
        return out;
      }};
}

Condition matches_any(const std::vector<std::string_view>& fields,
                      const std::vector<std::string>& values) {
  std::vector<Term> terms;
  std::vector<EpcPattern> patterns;
  std::set<std::string> links;
  bool narrow = true;
  for (const std::string& value : values) {
    const auto pattern = EpcPattern::parse(value);
    const std::string& link = *links.insert(canonical_id(value)).first;
    for (const std::string_view field : fields) {
      const std::string name(field);
      terms.push_back({name, link});
      // A serial's class is a term of its own; classes themselves have none.
      if (pattern && !pattern->class_link().empty()) {
        terms.push_back({name + ".class", pattern->class_link()});
      }
    }
    if (!pattern) continue;
    narrow = narrow && !pattern->class_link().empty();
    patterns.push_back(*pattern);
  }
  Condition out = has_term(terms);
  if (patterns.empty()) return out;
  if (!narrow) out.terms = nullptr;
  out.holds = [names = std::vector<std::string>(fields.begin(), fields.end()),
               links = std::move(links), patterns](const Event& event, const MasterDataLookup&) {
    bool found = false;
    for (const std::string& name : names) {
      for_each_id(event, name, [&](std::string_view id) {
        const auto fits = [&](const EpcPattern& one) { return one.matches(id); };
        found = found || links.contains(canonical_id(id)) || std::ranges::any_of(patterns, fits);
      });
    }
    return found;
  };
  return out;
}

Condition extension_compares(Place place, bool inner, FieldName name, Comparison comparison,
                             std::vector<Operand> operands) {
  return {.holds = [=](const Event& event, const MasterDataLookup&) {
    const auto text_holds = [&](std::string_view text) {
      return operands.empty() || compare(text, comparison, operands);
    };
    return any_list(event, place, [&](const std::vector<Element>& list) {
      return std::ranges::any_of(list, [&](const Element& element) {
        if (inner) return any_inner(element, name, text_holds);
        return is_named(element.ns, element.name, name) && text_holds(element.text);
      });
    });
  }};
}

Condition sensor_compares(Measure measure, bool difference, std::string uom, Comparison comparison,
                          std::vector<double> values) {
  return {
      .terms = [](const MasterDataLookup&) -> std::vector<Term> {
        return {{"sensorElementList", "yes"}};
      },
      .holds =
          [=](const Event& event, const MasterDataLookup&) {
            return std::ranges::any_of(event.sensor_elements, [&](const SensorElement& element) {
              return std::ranges::any_of(element.reports, [&](const SensorReport& report) {
                const std::optional<double>& value = report.*measure;
                return value && std::ranges::any_of(values, [&](double wanted) {
                         return uom.empty() ? compare(*value, comparison, wanted)
                                            : compare_converted(*value, report.uom, difference, uom,
                                                                comparison, wanted);
                       });
              });
            });
          }};
}

Condition quantity_compares(std::string uom, Comparison comparison, std::vector<double> values) {
  return {.holds = [=](const Event& event, const MasterDataLookup&) {
    const auto holds = [&](const std::vector<QuantityElement>& list) {
      return std::ranges::any_of(list, [&](const QuantityElement& one) {
        return one.quantity && std::ranges::any_of(values, [&](double wanted) {
                 return uom.empty() ? compare(*one.quantity, comparison, wanted)
                                    : compare_converted(*one.quantity, one.uom, false, uom,
                                                        comparison, wanted);
               });
      });
    };
    return holds(event.quantities) || holds(event.input_quantities) ||
           holds(event.output_quantities);
  }};
}

Condition attribute_compares(FieldName field, std::string attribute,
                             std::vector<Operand> operands) {
  return {.holds = [field = std::move(field), attribute = std::move(attribute),
                    operands = std::move(operands)](const Event& event,
                                                    const MasterDataLookup& lookup) {
    if (!lookup.attributes) return false;
    return std::ranges::any_of(values_of(event, field), [&](const std::string& id) {
      const auto values = lookup.attributes(id, attribute);
      if (operands.empty()) return !values.empty();
      return std::ranges::any_of(values, [&](const std::string& value) {
        return compare(value, Comparison::kEqual, operands);
      });
    });
  }};
}

}  // namespace theriac::epcis
