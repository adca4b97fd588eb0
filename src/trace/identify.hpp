// From the text of an identifier to an item's row: whatever form it has, one item has one key.
//
// Threading: an object belongs to one thread and one transaction.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "gs1/epc.hpp"
#include "trace/life.hpp"
#include "trace/master.hpp"

namespace theriac::trace {

/// One item or container. Its text is secret: it is for the one who asked, never for logs.
struct Identity {
  ItemKey key{};
  std::int64_t product = 0;  ///< 0: a logistic unit (SSCC)
  std::string gtin;          ///< empty for a logistic unit
  std::string serial;        ///< or the SSCC
  [[nodiscard]] bool is_logistic_unit() const { return product == 0; }
  /// The canonical Digital Link.
  [[nodiscard]] std::string link() const;
};

class Identifier {
 public:
  explicit Identifier(Work& work) : work_(&work) {}

  /// An EPC URN, a Digital Link, bracketed or raw elements, a scan. kNotAnIdentifier,
  /// kUnknownProduct. An Error is of the store or the keys.
  Result<tl::expected<Identity, LifeRefusal>> identify(std::string_view text);
  Result<tl::expected<Identity, LifeRefusal>> identify(const gs1::Epc& epc);
  /// Of a row: its product and sealed serial.
  Result<Identity> of_row(const ItemKey& key, std::int64_t product, ByteView sealed);

  /// Rows of master data that this transaction has read.
  Result<const Product*> product(std::int64_t id);
  Result<const Lot*> lot(std::int64_t id);

 private:
  Result<const Product*> product_of(const std::string& gtin);
  Work* work_;
  std::map<std::string, std::optional<std::int64_t>, std::less<>> by_gtin_;
  std::map<std::int64_t, Product> products_;
  std::map<std::int64_t, Lot> lots_;
};

}  // namespace theriac::trace
