// The standard's fields and the order in which the XML schema (EPCglobal-epcis-2_0.xsd) has them,
// by type of event. A field that is not in the list of a type is not allowed in it.
//
// Threading: constants.
#pragma once

#include <optional>
#include <span>

#include "epcis/event.hpp"

namespace theriac::epcis {

enum class Field : std::uint8_t {
  kEventTime,
  kRecordTime,
  kEventTimeZoneOffset,
  kEventId,
  kErrorDeclaration,
  kCertificationInfo,
  kParentId,
  kEpcList,
  kChildEpcs,
  kInputEpcList,
  kInputQuantityList,
  kOutputEpcList,
  kOutputQuantityList,
  kTransformationId,
  kAction,
  kBizStep,
  kDisposition,
  kReadPoint,
  kBizLocation,
  kBizTransactionList,
  kQuantityList,
  kChildQuantityList,
  kSourceList,
  kDestinationList,
  kSensorElementList,
  kPersistentDisposition,
  kIlmd
};

std::string_view name_of(Field field);
std::optional<Field> field_of(std::string_view name);
std::span<const Field> fields_of(EventType type);

}  // namespace theriac::epcis
