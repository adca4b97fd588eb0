#include "trace/identify.hpp"

#include "gs1/scan.hpp"

namespace theriac::trace {
namespace {

using Identified = tl::expected<Identity, LifeRefusal>;

tl::unexpected<LifeRefusal> refused(LifeRefusal why) { return tl::unexpected(why); }

gs1::Epc epc_of(std::string_view gtin, std::string_view serial) {
  gs1::Epc epc;
  if (gtin.empty()) {
    epc.key = gs1::Key::kSscc;
    epc.elements = gs1::ElementString({{"00", std::string(serial)}});
  } else {
    epc.key = gs1::Key::kSgtin;
    epc.elements = gs1::ElementString({{"01", std::string(gtin)}, {"21", std::string(serial)}});
  }
  return epc;
}

}  // namespace

std::string Identity::link() const { return gs1::epc_link(epc_of(gtin, serial)); }

Result<Identified> Identifier::identify(std::string_view text) {
  if (const auto epc = gs1::parse_epc(text)) return identify(*epc);
  const auto scan = gs1::read_scan(text, {.required = false});
  if (!scan) return refused(LifeRefusal::kNotAnIdentifier);
  const auto* elements = std::get_if<gs1::ElementString>(&scan->code);
  if (elements == nullptr) return refused(LifeRefusal::kNotAnIdentifier);
  const auto epc = gs1::epc_of(*elements);
  if (!epc) return refused(LifeRefusal::kNotAnIdentifier);
  return identify(*epc);
}

Result<Identified> Identifier::identify(const gs1::Epc& epc) {
  Identity one;
  if (epc.key == gs1::Key::kSscc) {
    one.serial = *epc.elements.find("00");
  } else if (epc.key == gs1::Key::kSgtin) {
    one.gtin = *epc.elements.find("01");
    one.serial = *epc.elements.find("21");
    THERIAC_ASSIGN(const auto* product, product_of(one.gtin));
    if (product == nullptr) return refused(LifeRefusal::kUnknownProduct);
    one.product = product->id;
  } else {
    return refused(LifeRefusal::kNotAnIdentifier);
  }
  THERIAC_ASSIGN(one.key, work_->vault.index(Domain::kItem, one.link()));
  return one;
}

Result<Identity> Identifier::of_row(const ItemKey& key, std::int64_t of, ByteView sealed) {
  Identity one;
  one.key = key;
  one.product = of;
  THERIAC_ASSIGN(one.serial, work_->vault.open(Record::kItem, row_of(key), sealed));
  if (of != 0) {
    THERIAC_ASSIGN(const auto* known, product(of));
    one.gtin = known->gtin;
  }
  return one;
}

Result<const Product*> Identifier::product_of(const std::string& gtin) {
  auto at = by_gtin_.find(gtin);
  if (at == by_gtin_.end()) {
    THERIAC_ASSIGN(auto found, find_product(*work_, gtin));
    std::optional<std::int64_t> id;
    if (found) {
      id = found->id;
      products_.insert_or_assign(found->id, std::move(*found));
    }
    at = by_gtin_.emplace(gtin, id).first;
  }
  return at->second ? &products_.at(*at->second) : nullptr;
}

Result<const Product*> Identifier::product(std::int64_t id) {
  auto at = products_.find(id);
  if (at == products_.end()) {
    THERIAC_ASSIGN(auto found, trace::product(*work_, id));
    at = products_.emplace(id, std::move(found)).first;
  }
  return &at->second;
}

Result<const Lot*> Identifier::lot(std::int64_t id) {
  auto at = lots_.find(id);
  if (at == lots_.end()) {
    THERIAC_ASSIGN(auto found, trace::lot(*work_, id));
    at = lots_.emplace(id, std::move(found)).first;
  }
  return &at->second;
}

}  // namespace theriac::trace
