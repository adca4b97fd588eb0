// Policy: classes, the catalogue of protected columns, and what each database role gets.
// YAML, versioned, default deny. docs/policy.md describes every key.
//
//   version: 1
//   tenant: demo
//   classes:
//     contact:  {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 900, strict: false}
//   columns:
//     - {table: public.customers, column: name, class: contact, searchable: true,
//        domain: person_name, accept_leakage: true,
//        search: [lower, {name: last4, expression: "right(value, 4)"}]}
//   roles:
//     erp_app:   {contact: clear, formula: clear}
//     warehouse: {contact: {mask: name, columns: {public.customers.phone: {mask: phone}}},
//                 formula: denied}
//     dumper:    {export: true, contact: clear}
//     keeper:    {backup: true}
//
// Pure. Threading: a Policy does not change after it was loaded; share it freely.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "pgwire/text_expression.hpp"
#include "pgwire/types.hpp"
#include "seal/keys.hpp"
#include "seal/sealed.hpp"

namespace theriac::policy {

struct Class {
  std::string name;
  seal::Suite suite = seal::Suite::kXaes256Gcm;
  bool bind_rows = false;
  seal::Buckets buckets;
  std::uint32_t grace_s = 900;  ///< reading goes on this long without the key service
  bool strict = false;          ///< statements on it are durable before effect
};

/// A further blind index: of an expression of the value.
struct Search {
  std::string name;  ///< in the helper column's name
  pgwire::TextExpression expression;
  std::string domain;  ///< defaults to the column's own with the expression behind it
};

struct ProtectedColumn {
  std::string schema, table, column;
  std::string class_name;
  bool searchable = false;
  std::string domain;  ///< defaults to "schema.table.column"
  std::vector<Search> searches;
  bool accept_leakage = false;
  /// Row triggers of the table that somebody has read and found to work without this column's
  /// value.
  std::vector<std::string> accept_triggers;

  /// "schema.table.column", a part in double quotes where it holds a dot or a quote.
  [[nodiscard]] std::string name() const;
};

enum class MaskKind : std::uint8_t {
  kName,      ///< first character, then one *
  kPhone,     ///< first three and last four digits stay
  kLastFour,  ///< last four characters stay
  kEmail,     ///< first character of the local part, and the domain
  kIdNumber,  ///< first six and last four of a resident identity number (身份证) stay
  kBankCard,  ///< first six and last four of 13 to 19 digits stay (PCI DSS 3.4)
  kAddress,   ///< down to city or district; never a number
  kYear,      ///< dates and timestamps: January 1st of the year, in UTC
  kMonth,     ///< dates and timestamps: the 1st of the month, in UTC
  kBand,      ///< numbers: rounded down to a multiple of `size`
  kSerial,    ///< first `first` and last `last` characters stay
  kConstant,  ///< `value`, or "***", 0, 1970-01-01, {} … by type; without `value` NULL for an enum
  kNull,
  kPseudonym,  ///< a keyed token for one recipient: same value, same token
};

struct Clear {};
struct Masked {
  MaskKind how = MaskKind::kConstant;
  std::uint64_t size = 0;              ///< kBand
  std::uint32_t first = 0, last = 0;   ///< kSerial, characters
  std::optional<std::string> value{};  ///< kConstant: as PostgreSQL's type input would get it
  std::string recipient{};             ///< kPseudonym
  /// Equality may be asked although the value is masked: whoever can guess it can confirm it.
  bool search = false;
};
struct Denied {
  std::string reason;  ///< for the error: which role and class
};
using Decision = std::variant<Denied, Clear, Masked>;

struct Policy {
  std::string tenant;
  std::map<std::string, Class> classes;
  std::vector<ProtectedColumn> columns;
  std::map<std::string, std::map<std::string, Decision>> roles;  ///< role -> class -> decision
  /// Roles that dump the logical database: what they read of each table is audited as an export.
  std::set<std::string, std::less<>> exports;
  /// Roles whose sessions pass untouched, to dump the physical form: they have no class.
  std::set<std::string, std::less<>> backups;
  std::string hash;  ///< SHA-256 of the canonical JSON of the policy, hexadecimal

  /// Where a role has rules for single columns of a class: role -> class -> column's name, each of
  /// the class's columns -> decision. A column that is none of them is denied.
  std::map<std::string, std::map<std::string, std::map<std::string, Decision>>> column_roles;
  /// The line of a role's rule: role -> "class NAME" or "column NAME" -> line. Not in the hash.
  std::map<std::string, std::map<std::string, std::size_t>> lines;

  /// Default deny: an unknown role or class is Denied. `column` is ProtectedColumn::name().
  [[nodiscard]] Decision decide(std::string_view role, std::string_view class_name,
                                std::string_view column) const;
  /// Writing, and copying to another column, need Clear.
  [[nodiscard]] bool may_write(std::string_view role, std::string_view class_name,
                               std::string_view column) const;
  /// Comparing needs Clear, so that masks cannot be probed, or a mask that allows it.
  [[nodiscard]] bool may_search(std::string_view role, std::string_view class_name,
                                std::string_view column) const;
  /// The line that decides for this column; 0: none does, so it is denied.
  [[nodiscard]] std::size_t line_of(std::string_view role, const ProtectedColumn& column) const;
  [[nodiscard]] const ProtectedColumn* find(std::string_view schema, std::string_view table,
                                            std::string_view column) const;
};

inline constexpr std::size_t kPolicyBytesMax = 4U << 20U;

/// Code::kPolicyInvalid with "file:line: key" in `where` for anything unknown, missing, doubled or
/// contradictory.
Result<Policy> parse_policy(std::string_view yaml, std::string_view file_name);
Result<Policy> load_policy(const std::string& path);

/// A pseudonym's keyed value: of the stored value, for one recipient, made by the caller.
using PseudonymToken = std::array<std::uint8_t, 16>;
/// Characters of a pseudonym; a column must have room for them.
inline constexpr std::size_t kPseudonymCharacters = 16;

/// The masked value: stored form in, stored form out, always a value of the column's type (an
/// integer stays an integer); nullopt is SQL NULL. Works on characters, not bytes. A pseudonym
/// without a token, or of a type that has no room for it, is the constant.
std::optional<std::string> apply_mask(const Masked& mask, const pgwire::ColumnType& type,
                                      std::string_view stored,
                                      const PseudonymToken* token = nullptr);
/// Does the mask show something of values of this type? Otherwise they become the constant.
bool fits(const Masked& mask, const pgwire::ColumnType& type);

}  // namespace theriac::policy
