// Master data: products with their packaging levels, lots, partners and places. Every change keeps
// the old value, the person and the reason (21 CFR 11.10(e), Annex 11 clause 9).
//
// Errors: Code::kMalformed with the member's name for a value that is not what it should be,
// kAlreadyExists for a second row of one key, kNotFound, kConflict for a change that the row's
// state does not allow.
//
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trace/records.hpp"

namespace theriac::trace {

struct Product {
  std::int64_t id = 0;
  std::string gtin;  ///< 14 digits
  std::string name, name_zh;
  std::string level;       ///< "each", "inner", "case", "pallet"
  std::int64_t inner = 0;  ///< product that a full one holds, 0: none
  std::int64_t inner_count = 0;
  int prefix_length = 0;    ///< of the company prefix, 6 to 12
  std::string market;       ///< as NumberRule::market
  std::string kind;         ///< "device" or "medicine"
  std::string udi_ma;       ///< device identifier of MA (IDcode), or empty
  std::string drug_code;    ///< seven digits of the Chinese drug code, or empty
  std::string national;     ///< national reimbursement number, or empty
  bool mixed_lots = false;  ///< a container of these may hold several lots
  bool active = true;       ///< no new numbers once it is not
};

enum class LotState : std::uint8_t { kOpen = 0, kReleased = 1, kBlocked = 2 };
std::string_view name_of(LotState state);

struct Lot {
  std::int64_t id = 0;
  std::int64_t product = 0;
  std::string number;         ///< at most 20 characters of AI 10
  std::string made, expires;  ///< ISO 8601 dates; expires is the last day of use
  LotState state = LotState::kOpen;
  std::int64_t recall = 0;         ///< 0: not recalled
  std::string certificate;         ///< name of the release certificate
  std::string certificate_sha256;  ///< hexadecimal
  /// The end of the last day, UTC.
  [[nodiscard]] std::optional<std::int64_t> expires_ms() const;
};

struct Partner {
  std::int64_t id = 0;
  std::string name;
  std::string gln;   ///< 13 digits
  std::string kind;  ///< "maker", "wholesaler", "hospital", "authority", "carrier"
  std::vector<std::string> certificates;  ///< names of client certificates that speak for it
};

struct Place {
  std::int64_t id = 0;
  std::string gln;        ///< 13 digits
  std::string extension;  ///< of the SGLN, or empty
  std::string name;
  std::int64_t partner = 0;  ///< 0: our own
  int prefix_length = 0;
  std::vector<std::string> lines = {};  ///< names of the certificates of lines that act here
};

Result<std::int64_t> add(Work& work, const Product& product, const Who& who);
Result<std::int64_t> add(Work& work, const Lot& lot, const Who& who);
Result<std::int64_t> add(Work& work, const Partner& partner, const Who& who);
Result<std::int64_t> add(Work& work, const Place& place, const Who& who);

/// All members but `id` and what makes the key (GTIN; product and number; GLN; GLN and extension).
/// A lot's state and recall are not changed here.
Status change(Work& work, const Product& product, const Who& who);
Status change(Work& work, const Lot& lot, const Who& who);
Status change(Work& work, const Partner& partner, const Who& who);
Status change(Work& work, const Place& place, const Who& who);

/// Open or blocked to released needs a certificate; a recalled lot is not released.
Status set_state(Work& work, std::int64_t lot, LotState state, const Who& who);

/// For recall.hpp. kConflict if the lot is recalled already.
Status set_recall(Work& work, std::int64_t lot, std::int64_t recall, const Who& who);

Result<std::optional<Product>> find_product(Work& work, std::string_view gtin);
Result<std::optional<Lot>> find_lot(Work& work, std::int64_t product, std::string_view number);
Result<std::optional<Partner>> find_partner(Work& work, std::string_view gln);
Result<std::optional<Partner>> partner_of_certificate(Work& work, std::string_view name);
Result<std::optional<Place>> find_place(Work& work, std::string_view gln,
                                        std::string_view extension);
/// kNotFound.
Result<Product> product(Work& work, std::int64_t id);
Result<Lot> lot(Work& work, std::int64_t id);
Result<Partner> partner(Work& work, std::int64_t id);
Result<Place> place(Work& work, std::int64_t id);

/// A product with what it holds, level by level down to the single pack.
Result<std::vector<Product>> levels_of(Work& work, std::int64_t product);

/// Rows after `after` in the order of their numbers, at most `limit`.
Result<std::vector<Product>> products(Work& work, std::int64_t after, std::int64_t limit);
Result<std::vector<Lot>> lots_of(Work& work, std::int64_t product, std::int64_t after,
                                 std::int64_t limit);
Result<std::vector<Partner>> partners(Work& work, std::int64_t after, std::int64_t limit);
Result<std::vector<Place>> places(Work& work, std::int64_t after, std::int64_t limit);

}  // namespace theriac::trace
