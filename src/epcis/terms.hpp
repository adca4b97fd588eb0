// What an event can be found by with nothing but equality: for a store that keeps events sealed and
// a blind index of each term.
//
// Threading: free functions.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "epcis/event.hpp"

namespace theriac::epcis {

/// Fields are this library's names ("epc", "bizStep", "bizTransaction", …); values are canonical.
struct Term {
  std::string field;
  std::string value;
  friend auto operator<=>(const Term&, const Term&) = default;
};

/// Each once, sorted. Fields: type, action, bizStep, disposition, persistentDisposition.set and
/// .unset, readPoint, bizLocation, eventID, transformationID, epc, parentID, inputEPC, outputEPC
/// and, of these four, .class (the class a serial belongs to); epcClass, inputEPCClass,
/// outputEPCClass; bizTransaction, source, destination (type, a space, identifier);
/// errorDeclaration (yes), errorReason, correctiveEventID; sensorElementList (yes), sensorType,
/// deviceID, dataProcessingMethod, microorganism, chemicalSubstance, bizRules.
std::vector<Term> terms_of(const Event& event);

/// How an identifier is compared: its canonical Digital Link, or the text.
std::string canonical_id(std::string_view id);
/// The class of a serialized identifier, as a canonical Digital Link: of an SGTIN its GTIN, of
/// GRAI, GDTI, SGCN, ITIP and CPI the type. Empty for others.
std::string class_of(std::string_view id);
/// "po https://…", the value of a transaction, source or destination.
std::string typed_value(const Word& type, std::string_view id);

}  // namespace theriac::epcis
