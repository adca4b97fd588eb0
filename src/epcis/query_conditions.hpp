// The conditions that a query's parameters become (EPCIS 2.0 section 8.2.7.1).
//
// Threading: free functions.
#pragma once

#include "epcis/query.hpp"
#include "epcis/query_values.hpp"

namespace theriac::epcis {

/// One of these terms.
Query::Condition has_term(std::vector<Term> terms);

/// A vocabulary field whose value is one of `ids`, or below one of them in master data.
Query::Condition within(std::string field, std::vector<std::string> ids);

/// An identifier in one of `fields` is equal to, or matches the pattern of, one of `values`.
Query::Condition matches_any(const std::vector<std::string_view>& fields,
                             const std::vector<std::string>& values);

/// Where an extension may stand.
enum class Place : std::uint8_t {
  kEvent,
  kIlmd,
  kErrorDeclaration,
  kReadPoint,
  kBizLocation,
  kSensorElement,
  kSensorMetadata,
  kSensorReport
};
struct FieldName {
  std::string ns;
  std::string local;
};
/// An extension of this name, at the top of the place or, if `inner`, at any level below, and its
/// text compares; no operands: it is there.
Query::Condition extension_compares(Place place, bool inner, FieldName name, Comparison comparison,
                                    std::vector<Operand> operands);

/// A number of sensor reports.
using Measure = std::optional<double> SensorReport::*;
/// In `uom`, converted where both units are known; `difference`: a standard deviation, which has no
/// offset. Empty uom: without a unit.
Query::Condition sensor_compares(Measure measure, bool difference, std::string uom,
                                 Comparison comparison, std::vector<double> values);
/// Any quantity of any list.
Query::Condition quantity_compares(std::string uom, Comparison comparison,
                                   std::vector<double> values);

/// Of the vocabulary field ("bizLocation", …), or of the event's extension if the name has a
/// namespace: master data have the attribute; and, if there are operands, one of its values
/// compares.
Query::Condition attribute_compares(FieldName field, std::string attribute,
                                    std::vector<Operand> operands);

/// Whether two namespaces are one: without their last separator.
bool same_namespace(std::string_view a, std::string_view b);

}  // namespace theriac::epcis
