#include "epcis/fields.hpp"

#include <algorithm>
#include <array>

namespace theriac::epcis {

namespace {

using enum Field;

constexpr std::array<std::string_view, 27> kNames{"eventTime",
                                                  "recordTime",
                                                  "eventTimeZoneOffset",
                                                  "eventID",
                                                  "errorDeclaration",
                                                  "certificationInfo",
                                                  "parentID",
                                                  "epcList",
                                                  "childEPCs",
                                                  "inputEPCList",
                                                  "inputQuantityList",
                                                  "outputEPCList",
                                                  "outputQuantityList",
                                                  "transformationID",
                                                  "action",
                                                  "bizStep",
                                                  "disposition",
                                                  "readPoint",
                                                  "bizLocation",
                                                  "bizTransactionList",
                                                  "quantityList",
                                                  "childQuantityList",
                                                  "sourceList",
                                                  "destinationList",
                                                  "sensorElementList",
                                                  "persistentDisposition",
                                                  "ilmd"};

constexpr Field kObject[] = {kEventTime,
                             kRecordTime,
                             kEventTimeZoneOffset,
                             kEventId,
                             kErrorDeclaration,
                             kCertificationInfo,
                             kEpcList,
                             kAction,
                             kBizStep,
                             kDisposition,
                             kReadPoint,
                             kBizLocation,
                             kBizTransactionList,
                             kQuantityList,
                             kSourceList,
                             kDestinationList,
                             kSensorElementList,
                             kPersistentDisposition,
                             kIlmd};
constexpr Field kAggregation[] = {kEventTime,
                                  kRecordTime,
                                  kEventTimeZoneOffset,
                                  kEventId,
                                  kErrorDeclaration,
                                  kCertificationInfo,
                                  kParentId,
                                  kChildEpcs,
                                  kAction,
                                  kBizStep,
                                  kDisposition,
                                  kReadPoint,
                                  kBizLocation,
                                  kBizTransactionList,
                                  kChildQuantityList,
                                  kSourceList,
                                  kDestinationList,
                                  kSensorElementList,
                                  kPersistentDisposition};
constexpr Field kTransaction[] = {kEventTime,
                                  kRecordTime,
                                  kEventTimeZoneOffset,
                                  kEventId,
                                  kErrorDeclaration,
                                  kCertificationInfo,
                                  kBizTransactionList,
                                  kParentId,
                                  kEpcList,
                                  kAction,
                                  kBizStep,
                                  kDisposition,
                                  kReadPoint,
                                  kBizLocation,
                                  kQuantityList,
                                  kSourceList,
                                  kDestinationList,
                                  kSensorElementList,
                                  kPersistentDisposition};
constexpr Field kTransformation[] = {kEventTime,
                                     kRecordTime,
                                     kEventTimeZoneOffset,
                                     kEventId,
                                     kErrorDeclaration,
                                     kCertificationInfo,
                                     kInputEpcList,
                                     kInputQuantityList,
                                     kOutputEpcList,
                                     kOutputQuantityList,
                                     kTransformationId,
                                     kBizStep,
                                     kDisposition,
                                     kReadPoint,
                                     kBizLocation,
                                     kBizTransactionList,
                                     kSourceList,
                                     kDestinationList,
                                     kSensorElementList,
                                     kPersistentDisposition,
                                     kIlmd};
constexpr Field kAssociation[] = {kEventTime,
                                  kRecordTime,
                                  kEventTimeZoneOffset,
                                  kEventId,
                                  kErrorDeclaration,
                                  kCertificationInfo,
                                  kParentId,
                                  kChildEpcs,
                                  kChildQuantityList,
                                  kAction,
                                  kBizStep,
                                  kDisposition,
                                  kReadPoint,
                                  kBizLocation,
                                  kBizTransactionList,
                                  kSourceList,
                                  kDestinationList,
                                  kSensorElementList,
                                  kPersistentDisposition};

}  // namespace

std::string_view name_of(Field field) { return kNames[static_cast<std::size_t>(field)]; }

std::optional<Field> field_of(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Field>(found - kNames.begin());
}

std::span<const Field> fields_of(EventType type) {
  switch (type) {
    case EventType::kObject:
      return kObject;
    case EventType::kAggregation:
      return kAggregation;
    case EventType::kTransaction:
      return kTransaction;
    case EventType::kTransformation:
      return kTransformation;
    case EventType::kAssociation:
      return kAssociation;
  }
  return {};
}

}  // namespace theriac::epcis
