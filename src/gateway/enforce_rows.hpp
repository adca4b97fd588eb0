// Result rows of a rewritten statement: which columns are opened, how they are shown, and what the
// client is told their type is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/enforce_ciphers.hpp"
#include "pgwire/messages.hpp"
#include "pgwire/types.hpp"
#include "policy/policy.hpp"
#include "rewrite/plan.hpp"

namespace theriac::gateway {

/// A column whose values can come out, and how they are shown.
struct OutputOrigin {
  ColumnRef column;
  policy::Decision decision;
  bool with_row_id = false;
};

/// What to do with one result column.
struct OutputRule {
  std::size_t position = 0;
  pgwire::ColumnType type;            ///< what the client is told
  bool names_origin = false;          ///< and where it comes from
  std::vector<OutputOrigin> origins;  ///< never empty
  /// As rewrite::Output: the column is a row with these protected fields.
  std::vector<OutputRule> fields;
  std::uint32_t row_of = 0;
  /// Not empty: the row was found by one of these, so its value must have one of them.
  std::vector<seal::IndexToken> found_by;
};

/// The rules of one portal (or cursor). Holds the catalogue snapshot its columns live in.
class RowMap {
 public:
  RowMap(std::shared_ptr<const rewrite::Catalogue> catalogue, std::vector<OutputRule> rules)
      : catalogue_(std::move(catalogue)), rules_(std::move(rules)) {}

  [[nodiscard]] const std::vector<OutputRule>& rules() const { return rules_; }

  /// The server's RowDescription as the client must see it. Code::kUnsupported if the server's
  /// provenance (table oid, attribute) and the analysis disagree, or a helper would come out:
  /// nothing is then shown. `formats`: what the client asked for, none for a statement's
  /// description.
  Result<std::vector<pgwire::FieldDescription>> describe(
      const std::vector<pgwire::FieldDescription>& server_fields,
      const std::vector<std::int16_t>& formats) const;
  /// The same from the body of the server's message; appends the client's message. The last answer
  /// is kept: a statement that runs again is described alike.
  Status describe(ByteView body, const std::vector<std::int16_t>& formats, Bytes& out);

  /// The formats to ask the server for: sealed columns in binary, the others as the client wants
  /// them. As they are if the number of columns is not known (0) or not the client's.
  [[nodiscard]] std::vector<std::int16_t> server_formats(const std::vector<std::int16_t>& formats,
                                                         std::size_t columns) const;

  /// Appends the client's DataRow. Formats as bound (0, 1 or n entries), `asked` by the client,
  /// `sent` to the server. Adds the number of values opened to `opened`.
  Status row(ByteView body, const std::vector<std::int16_t>& asked,
             const std::vector<std::int16_t>& sent, const pgwire::TextSettings& settings,
             Ciphers& ciphers, Bytes& out, std::uint64_t& opened);

  /// One value of the server (bytea, `binary` or as text), which is not NULL, as the role may see
  /// it in `format`: opened, checked against what found its row, masked. Appends to `shown`.
  Status show(const OutputRule& rule, bool binary, std::int16_t format, ByteView value,
              const pgwire::TextSettings& settings, Ciphers& ciphers, Bytes& shown, bool& is_null);

 private:
  std::shared_ptr<const rewrite::Catalogue> catalogue_;
  std::vector<OutputRule> rules_;
  Status show_row(const OutputRule& rule, std::int16_t format, ByteView value,
                  const pgwire::TextSettings& settings, Ciphers& ciphers, Bytes& shown,
                  std::uint64_t& opened);

  std::vector<pgwire::DataColumn> columns_;  ///< reused from row to row
  std::vector<Bytes> shown_;
  Bytes sealed_, opened_;
  struct Described {
    Bytes body, message;
    std::vector<std::int16_t> formats;
  };
  Described described_;
};

/// Opens a value in binary form, row identity before it where the origin says so; which of the
/// rule's origins it is of. Errors as Ciphers::open, naming the first origin.
Result<const OutputOrigin*> open_value(const OutputRule& rule, ByteView value, Ciphers& ciphers,
                                       Bytes& out);

/// A bytea value in its text form (hex or escape) to bytes; Code::kMalformed otherwise.
Status decode_bytea_text(ByteView text, Bytes& out);

}  // namespace theriac::gateway
