#include "api/epcis_lookup.hpp"

#include <map>

#include "gs1/epc.hpp"
#include "http/target.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

/// "urn:epcglobal:cbv:mda:name" and "urn:epcglobal:cbv:mda#name" as "name"; others stay.
std::string_view bare_attribute(std::string_view attribute) {
  constexpr std::string_view kNamespace = "urn:epcglobal:cbv:mda";
  if (attribute.starts_with(kNamespace) && attribute.size() > kNamespace.size()) {
    const char between = attribute[kNamespace.size()];
    if (between == ':' || between == '#') return attribute.substr(kNamespace.size() + 1);
  }
  return attribute;
}

void add_text(std::vector<std::string>& all, const std::string& text) {
  if (!text.empty()) all.push_back(text);
}

/// One query's view of the master data. What cannot be read is not there: the query then finds
/// less, and the fault shows where the event itself is read.
class Master {
 public:
  explicit Master(trace::Work& work) : work_(&work) {}

  const std::vector<std::string>& below(std::string_view id) {
    const auto epc = gs1::parse_epc(id);
    const auto* gln = epc && epc->key == gs1::Key::kSgln ? epc->elements.find("414") : nullptr;
    if (gln == nullptr || epc->elements.find("254") != nullptr) return nothing_;
    if (!extensions_) read_extensions();
    const auto found = extensions_->find(*gln);
    return found == extensions_->end() ? nothing_ : found->second;
  }

  const std::vector<std::string>& attribute(std::string_view id, std::string_view attribute) {
    const auto name = bare_attribute(attribute);
    const auto key = std::pair(std::string(id), std::string(name));
    const auto known = attributes_.find(key);
    if (known != attributes_.end()) return known->second;
    return attributes_.emplace(key, read(id, name)).first->second;
  }

 private:
  void read_extensions() {
    extensions_.emplace();
    std::int64_t after = 0;
    for (;;) {
      const auto some = trace::places(*work_, after, trace::kPageRowsMax);
      if (!some || some->empty()) return;
      for (const auto& one : *some) {
        if (one.extension.empty()) continue;
        (*extensions_)[one.gln].push_back("https://id.gs1.org/414/" + one.gln + "/254/" +
                                          http::percent_encode(one.extension));
      }
      after = some->back().id;
    }
  }

  std::vector<std::string> read(std::string_view id, std::string_view name) {
    std::vector<std::string> all;
    const auto epc = gs1::parse_epc(id);
    if (!epc) return all;
    if (const auto* gtin = epc->elements.find("01")) {
      const auto found = trace::find_product(*work_, *gtin);
      if (found && *found) add_product(**found, name, all);
    } else if (const auto* gln = epc->elements.find("414")) {
      const auto* extension = epc->elements.find("254");
      const auto found = trace::find_place(*work_, *gln, extension == nullptr ? "" : *extension);
      if (found && *found && name == "name") add_text(all, (*found)->name);
    } else if (const auto* party = epc->elements.find("417")) {
      const auto found = trace::find_partner(*work_, *party);
      if (found && *found && name == "name") add_text(all, (*found)->name);
    }
    return all;
  }

  static void add_product(const trace::Product& product, std::string_view name,
                          std::vector<std::string>& all) {
    if (name == "regulatedProductName" || name == "descriptionShort") {
      add_text(all, product.name);
      add_text(all, product.name_zh);
    } else if (name == "additionalTradeItemIdentification") {
      add_text(all, product.udi_ma);
      add_text(all, product.drug_code);
      add_text(all, product.national);
    }
  }

  trace::Work* work_;
  const std::vector<std::string> nothing_;
  std::optional<std::map<std::string, std::vector<std::string>, std::less<>>> extensions_;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> attributes_;
};

}  // namespace

epcis::MasterDataLookup master_lookup(trace::Work& work) {
  // Shared by the two callbacks, of which either may be copied.
  const auto master = std::make_shared<Master>(work);
  return {.descendants = [master](std::string_view id) { return master->below(id); },
          .attributes =
              [master](std::string_view id, std::string_view attribute) {
                return master->attribute(id, attribute);
              }};
}

}  // namespace theriac::api
