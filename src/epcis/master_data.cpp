#include "epcis/master_data.hpp"

namespace theriac::epcis {

namespace {

using enum ProblemCode;

/// The names of one thing in the two formats.
struct Names {
  std::string_view elements;
  std::string_view attributes;
};
constexpr Names kJsonNames{"vocabularyElementList", "attributes"};
constexpr Names kXmlNames{"VocabularyElementList", "attribute"};

class MasterDataReader {
 public:
  explicit MasterDataReader(ValueReader& in)
      : in_(in), report_(in.report()), names_(in.json() ? kJsonNames : kXmlNames) {}

  MasterData vocabulary(const Element& value) {
    MasterData out;
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty() || member.wrapped) {
        report_.add(kDroppedExtension);
      } else if (member.name == "type") {
        const At at(report_, "type");
        out.type = in_.uri(*member.value);
      } else if (member.name == names_.elements) {
        const At at(report_, names_.elements);
        in_.items(*member.value, "VocabularyElement",
                  [&](const Element& item) { out.elements.push_back(element(item)); });
      } else {
        report_.add(kUnknownField);
      }
    }
    if (out.type.empty()) report_.add(kMissingField, "type");
    return out;
  }

 private:
  VocabularyElement element(const Element& value) {
    VocabularyElement out;
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty() || member.wrapped) {
        report_.add(kDroppedExtension);
      } else if (member.name == "id") {
        const At at(report_, "id");
        out.id = in_.uri(*member.value);
      } else if (member.name == "children") {
        const At at(report_, "children");
        out.children = in_.uris(*member.value, "id");
      } else if (member.name == names_.attributes && in_.json()) {
        const At at(report_, "attributes");
        in_.items(*member.value, {},
                  [&](const Element& item) { attribute_of_json(item, out.attributes); });
      } else if (member.name == names_.attributes) {
        attribute_of_xml(*member.value, out.attributes);
      } else {
        report_.add(kUnknownField);
      }
    }
    if (out.id.empty()) report_.add(kMissingField, "id");
    return out;
  }

  void attribute_of_json(const Element& value, std::vector<MasterDataAttribute>& out) {
    const Members members = in_.members(value, {"id", "attribute"});
    MasterDataAttribute attribute;
    if (const Element* id = members.find("id")) {
      const At at(report_, "id");
      attribute.id = in_.uri(*id);
    } else {
      report_.add(kMissingField, "id");
    }
    if (const Element* content = members.find("attribute")) {
      // An extension without a name of its own.
      std::vector<Element> values;
      in_.extension({kUnqualified, "attribute", content}, values);
      if (values.size() > 1) report_.add(kWrongType, "attribute");
      if (!values.empty()) attribute.value = std::move(values.front());
      attribute.value.ns.clear();
      attribute.value.name.clear();
    }
    out.push_back(std::move(attribute));
  }

  void attribute_of_xml(const Element& value, std::vector<MasterDataAttribute>& out) {
    MasterDataAttribute attribute;
    std::vector<Element> values;
    in_.extension({kUnqualified, "attribute", &value}, values);
    if (values.empty()) return;
    attribute.value = std::move(values.front());
    attribute.value.ns.clear();
    attribute.value.name.clear();
    std::erase_if(attribute.value.attributes, [&](const Attribute& one) {
      if (!one.ns.empty() || one.name != "id") return false;
      attribute.id = one.value;
      return true;
    });
    if (!is_uri(attribute.id)) report_.add(kNotAUri, "id");
    out.push_back(std::move(attribute));
  }

  ValueReader& in_;
  Report& report_;
  Names names_;
};

}  // namespace

std::vector<MasterData> read_master_data(const Element& list, ValueReader& in) {
  std::vector<MasterData> out;
  const At at(in.report(), in.json() ? "vocabularyList" : "VocabularyList");
  in.items(list, "Vocabulary",
           [&](const Element& item) { out.push_back(MasterDataReader(in).vocabulary(item)); });
  return out;
}

}  // namespace theriac::epcis
