#include "epcis/event_reader.hpp"

#include <algorithm>
#include <set>

#include "epcis/fields.hpp"
#include "epcis/rules.hpp"
#include "epcis/sensor_reader.hpp"

namespace theriac::epcis {

namespace {

using enum ProblemCode;

class EventReader {
 public:
  EventReader(Format format, const Context& context, Report& report)
      : in_(format, context, report), report_(report) {}

  Event read(const Element& tree, EventType type) {
    event_.type = type;
    const Members members = in_.members(tree);
    check_order(members);
    std::vector<bool> seen(kFieldCount);
    for (const Member& member : members.all()) {
      const auto field = member.ns.empty() ? field_of(member.name) : std::nullopt;
      if (!field) {
        if (!read_keyword(member)) in_.extension(member, event_.extensions);
        continue;
      }
      const At at(report_, name_of(*field));
      const auto index = static_cast<std::size_t>(*field);
      if (std::ranges::find(fields_of(type), *field) == fields_of(type).end()) {
        report_.add(kMisplacedField);
      } else if (seen[index]) {
        report_.add(kRepeatedField);
      } else {
        read_field(*field, *member.value);
      }
      seen[index] = true;
    }
    require(seen);
    return std::move(event_);
  }

 private:
  static constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kIlmd) + 1;

  /// JSON-LD's own names; the standard's context makes eventID another word for id.
  bool read_keyword(const Member& member) {
    if (!in_.json() || !member.ns.empty()) return false;
    if (member.name == "id" && event_.event_id.empty()) {
      const At at(report_, "id");
      report_.add(kEventIdAsId);
      event_.event_id = in_.uri(*member.value);
      return true;
    }
    return member.name == "type";
  }

  /// XML Schema's sequence. In 1.x the fields came in layers, which have been taken apart by now.
  void check_order(const Members& members) {
    if (in_.format() != Format::kXml) return;
    const auto order = fields_of(event_.type);
    std::size_t position = 0;
    for (const Member& member : members.all()) {
      if (member.attribute) continue;
      const auto field = member.ns.empty() ? field_of(member.name) : std::nullopt;
      const auto found = field ? std::ranges::find(order, *field) : order.end();
      const auto at = static_cast<std::size_t>(found - order.begin());
      if (at < position) return report_.add(kOutOfOrder, name_of(*field));
      position = at;
    }
  }

  void require(const std::vector<bool>& seen) {
    const auto missing = [&](Field field) { return !seen[static_cast<std::size_t>(field)]; };
    if (missing(Field::kEventTime)) report_.add(kMissingField, name_of(Field::kEventTime));
    if (!missing(Field::kEventTimeZoneOffset)) return;
    // A time with an offset of its own says what was meant; "Z" only says that it is UTC.
    const std::string& text = event_.event_time.text;
    if (text.size() > 6 && is_offset(std::string_view(text).substr(text.size() - 6))) {
      event_.time_zone_offset = text.substr(text.size() - 6);
      report_.add(kOffsetFromTime, name_of(Field::kEventTimeZoneOffset));
    } else {
      report_.add(kMissingField, name_of(Field::kEventTimeZoneOffset));
    }
  }

  void read_field(Field field, const Element& value) {
    switch (field) {
      case Field::kEventTime:
        event_.event_time = in_.time(value).value_or(Time{});
        return;
      case Field::kRecordTime:
        event_.record_time = in_.time(value);
        return;
      case Field::kEventTimeZoneOffset:
        event_.time_zone_offset = in_.text(value);
        if (!event_.time_zone_offset.empty() && !is_offset(event_.time_zone_offset)) {
          report_.add(kBadOffset);
        }
        return;
      case Field::kEventId:
        if (!event_.event_id.empty()) report_.add(kRepeatedField);
        event_.event_id = in_.uri(value);
        return;
      case Field::kErrorDeclaration:
        event_.error_declaration = error_declaration(value);
        return;
      case Field::kCertificationInfo:
        if (in_.json() && value.type == Scalar::kArray) {
          event_.certification_info = in_.uris(value, {});
        } else {
          event_.certification_info = {in_.uri(value)};
        }
        return;
      case Field::kAction: {
        const std::string text = in_.text(value);
        event_.action = action_of(text);
        if (!event_.action && !text.empty()) report_.add(kBadAction);
        return;
      }
      case Field::kBizStep:
        event_.biz_step = in_.word(Vocabulary::kBizStep, value);
        return;
      case Field::kDisposition:
        event_.disposition = in_.word(Vocabulary::kDisposition, value);
        return;
      case Field::kPersistentDisposition:
        event_.persistent_disposition = persistent_disposition(value);
        return;
      case Field::kReadPoint:
        event_.read_point = location(value);
        return;
      case Field::kBizLocation:
        event_.biz_location = location(value);
        return;
      case Field::kSensorElementList:
        event_.sensor_elements = read_sensor_elements(value, in_);
        return;
      case Field::kIlmd:
        for (const Member& member : in_.members(value).all()) {
          in_.extension(member, event_.ilmd);
        }
        return;
      default:
        read_objects(field, value);
    }
  }

  void read_objects(Field field, const Element& value) {
    switch (field) {
      case Field::kParentId:
        event_.parent_id = in_.uri(value);
        return;
      case Field::kTransformationId:
        event_.transformation_id = in_.uri(value);
        return;
      case Field::kEpcList:
      case Field::kChildEpcs:
        event_.epcs = in_.uris(value, "epc");
        return;
      case Field::kInputEpcList:
        event_.input_epcs = in_.uris(value, "epc");
        return;
      case Field::kOutputEpcList:
        event_.output_epcs = in_.uris(value, "epc");
        return;
      case Field::kQuantityList:
      case Field::kChildQuantityList:
        event_.quantities = quantities(value);
        return;
      case Field::kInputQuantityList:
        event_.input_quantities = quantities(value);
        return;
      case Field::kOutputQuantityList:
        event_.output_quantities = quantities(value);
        return;
      case Field::kBizTransactionList:
        event_.biz_transactions =
            typed_ids(value, "bizTransaction", Vocabulary::kBizTransactionType);
        return;
      case Field::kSourceList:
        event_.sources = typed_ids(value, "source", Vocabulary::kSourceDestinationType);
        return;
      case Field::kDestinationList:
        event_.destinations = typed_ids(value, "destination", Vocabulary::kSourceDestinationType);
        return;
      default:
        return;
    }
  }

  std::vector<QuantityElement> quantities(const Element& list) {
    std::vector<QuantityElement> out;
    in_.items(list, "quantityElement", [&](const Element& item) {
      QuantityElement element;
      const Members members = in_.members(item, {"epcClass", "quantity", "uom"});
      if (const Element* value = members.find("epcClass")) {
        const At at(report_, "epcClass");
        element.epc_class = in_.uri(*value);
      } else {
        report_.add(kMissingField, "epcClass");
      }
      if (const Element* value = members.find("quantity")) {
        const At at(report_, "quantity");
        element.quantity = in_.number(*value);
      }
      if (const Element* value = members.find("uom")) {
        const At at(report_, "uom");
        element.uom = in_.text(*value);
        if (!element.uom.empty() && !is_uom(element.uom)) report_.add(kBadUom);
      }
      out.push_back(std::move(element));
    });
    return out;
  }

  /// UN/CEFACT Recommendation 20: two or three capitals and digits.
  static bool is_uom(std::string_view text) {
    return (text.size() == 2 || text.size() == 3) && std::ranges::all_of(text, [](char c) {
             return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
           });
  }

  /// JSON {"type": t, name: id}; XML <name type="t">id</name>.
  std::vector<TypedId> typed_ids(const Element& list, std::string_view name,
                                 Vocabulary vocabulary) {
    std::vector<TypedId> out;
    in_.items(list, name, [&](const Element& item) {
      TypedId typed;
      const Members members = in_.json() ? in_.members(item, {"type", name}) : in_.members(item);
      const Element* type = members.find("type");
      const Element* id = in_.json() ? members.find(name) : &item;
      if (type != nullptr) {
        const At at(report_, "type");
        typed.type = in_.word(vocabulary, *type);
      } else if (vocabulary == Vocabulary::kSourceDestinationType) {
        report_.add(kMissingField, "type");
      }
      if (id != nullptr) {
        const At at(report_, name);
        typed.id = in_.uri(*id);
      } else {
        report_.add(kMissingField, name);
      }
      out.push_back(std::move(typed));
    });
    return out;
  }

  std::optional<Location> location(const Element& value) {
    Location out;
    if (value.type != Scalar::kObject && value.children.empty()) {  // only an identifier
      report_.add(kBareLocation);
      out.id = in_.uri(value);
      return out;
    }
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty() || member.name != "id") {
        in_.extension(member, out.extensions);
      } else if (!out.id.empty()) {
        report_.add(kRepeatedField, "id");
      } else {
        const At at(report_, "id");
        out.id = in_.uri(*member.value);
        if (out.id.empty()) return std::nullopt;
      }
    }
    if (out.id.empty()) report_.add(kMissingField, "id");
    return out;
  }

  std::optional<PersistentDisposition> persistent_disposition(const Element& value) {
    PersistentDisposition out;
    std::set<std::pair<bool, std::string>> seen;
    std::size_t position = 0;
    for (const Member& member : in_.members(value).all()) {
      const bool sets = member.name == "set";
      if (!member.ns.empty() || (!sets && member.name != "unset")) {
        report_.add(kUnknownField);
        continue;
      }
      const At at(report_, sets ? "set" : "unset");
      auto& words = sets ? out.set : out.unset;
      const auto add = [&](const Element& item) {
        Word word = in_.word(Vocabulary::kDisposition, item);
        if (word.empty()) return;
        if (!seen.emplace(sets, word.value).second) {
          report_.add(kRepeatedIdentifier);
        } else {
          words.push_back(std::move(word));
        }
      };
      if (in_.json()) {
        in_.items(*member.value, {}, add);
      } else {
        if (!sets && position > 0) report_.add(kOutOfOrder);
        position = sets ? 1 : position;
        add(*member.value);
      }
    }
    return out;
  }

  std::optional<ErrorDeclaration> error_declaration(const Element& value) {
    ErrorDeclaration out;
    bool seen_time = false;
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty()) {
        in_.extension(member, out.extensions);
      } else if (member.name == "declarationTime") {
        const At at(report_, "declarationTime");
        if (seen_time) report_.add(kRepeatedField);
        seen_time = true;
        out.declaration_time = in_.time(*member.value).value_or(Time{});
      } else if (member.name == "reason") {
        const At at(report_, "reason");
        if (!out.reason.empty()) report_.add(kRepeatedField);
        out.reason = in_.word(Vocabulary::kErrorReason, *member.value);
      } else if (member.name == "correctiveEventIDs") {
        const At at(report_, "correctiveEventIDs");
        if (!out.corrective_event_ids.empty()) report_.add(kRepeatedField);
        out.corrective_event_ids = in_.uris(*member.value, "correctiveEventID");
      } else {
        in_.extension(member, out.extensions);
      }
    }
    if (!seen_time) report_.add(kMissingField, "declarationTime");
    return out;
  }

  Event event_;
  ValueReader in_;
  Report& report_;
};

}  // namespace

std::optional<Event> read_event(const Element& tree, Format format, const Context& context,
                                Report& report) {
  std::string_view name = tree.name;
  const Context* used = &context;
  Context own;
  if (format == Format::kJson) {
    if (tree.type != Scalar::kObject) {
      report.add(kWrongType);
      return std::nullopt;
    }
    const Element* type = nullptr;
    for (const Element& child : tree.children) {
      if (child.name == "type") type = &child;
      if (child.name == "@context") {
        const At at(report, "@context");
        own = context;
        own.add(child, report, nullptr, nullptr);
        used = &own;
      }
    }
    if (type == nullptr) {
      report.add(kMissingField, "type");
      return std::nullopt;
    }
    name = type->text;
  }
  const auto type = event_type_of(name);
  if (!type) {
    report.add(kUnknownEventType);
    return std::nullopt;
  }
  Event event = EventReader(format, *used, report).read(tree, *type);
  // Rules on what could not be read would only repeat that it could not.
  if (!report.fatal()) check_rules(event, report);
  if (report.fatal()) return std::nullopt;
  return event;
}

}  // namespace theriac::epcis
