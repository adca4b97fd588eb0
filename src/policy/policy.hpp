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
//     warehouse: {contact: {mask: name}, formula: denied}
//     dumper:    {export: true, contact: clear}
//     keeper:    {backup: true}
//
// Pure. Threading: a Policy does not change after it was loaded; share it freely.
#pragma once

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
};

enum class MaskKind : std::uint8_t {
  kName,      ///< first character, then one *
  kPhone,     ///< first three and last four digits stay
  kLastFour,  ///< last four characters stay
  kEmail,     ///< first character of the local part, and the domain
  kIdNumber,  ///< first six and last four of a resident identity number (身份证) stay
  kYear,      ///< dates: January 1st of the year; numbers: rounded down to thousands is not this
  kConstant,  ///< "***", 0, 1970-01-01, {} … by type; NULL for an enum
  kNull,
};

struct Clear {};
struct Masked {
  MaskKind how = MaskKind::kConstant;
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

  /// Default deny: an unknown role or class is Denied.
  [[nodiscard]] Decision decide(std::string_view role, std::string_view class_name) const;
  /// Writing needs Clear.
  [[nodiscard]] bool may_write(std::string_view role, std::string_view class_name) const;
  /// Filtering on a class needs Clear, so that masks cannot be probed.
  [[nodiscard]] bool may_search(std::string_view role, std::string_view class_name) const;
  [[nodiscard]] const ProtectedColumn* find(std::string_view schema, std::string_view table,
                                            std::string_view column) const;
};

inline constexpr std::size_t kPolicyBytesMax = 4U << 20U;

/// Code::kPolicyInvalid with "file:line: key" in `where` for anything unknown, missing, doubled or
/// contradictory.
Result<Policy> parse_policy(std::string_view yaml, std::string_view file_name);
Result<Policy> load_policy(const std::string& path);

/// The masked value: stored form in, stored form out, always a value of the column's type (an
/// integer stays an integer); nullopt is SQL NULL. Works on characters, not bytes.
std::optional<std::string> apply_mask(const Masked& mask, const pgwire::ColumnType& type,
                                      std::string_view stored);

}  // namespace theriac::policy
