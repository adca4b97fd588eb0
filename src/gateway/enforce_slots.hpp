// Fills the slots of a rewritten statement: turns the client's values into sealed bytes and blind
// indexes, and leaves the others as they came.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/enforce_ciphers.hpp"
#include "pgwire/messages.hpp"
#include "pgwire/types.hpp"
#include "rewrite/plan.hpp"

namespace theriac::gateway {

template <typename T>
using Refusable = tl::expected<T, pgwire::ErrorReport>;

inline tl::unexpected<pgwire::ErrorReport> refuse(pgwire::ErrorReport report) {
  return tl::unexpected<pgwire::ErrorReport>(std::move(report));
}
/// `subject`: a column, class or role name the error is about; added to the message.
pgwire::ErrorReport report_about(const Error& error, std::string_view subject);
pgwire::ErrorReport report_of_refusal(const rewrite::Refusal& refusal);

/// The protected column a slot, output or assignment names.
Refusable<ColumnRef> column_of(const rewrite::Catalogue& catalogue, std::uint32_t relation_oid,
                               std::int16_t attribute);

/// Where client values come from: a Bind and the types declared at Parse (both null for statements
/// of a simple Query, which have literals only), and the literals of the text.
struct ClientValues {
  /// All three are named wherever values are taken: a plan that serves other texts than its own
  /// must never be filled with its own literals.
  ClientValues(const pgwire::Bind* of_bind, const std::vector<std::uint32_t>* of_parse,
               const rewrite::TextLiterals* of_text)
      : bind(of_bind), declared(of_parse), literals(of_text) {}
  const pgwire::Bind* bind;
  const std::vector<std::uint32_t>* declared;
  /// Null: the literals are those the plan was made with.
  const rewrite::TextLiterals* literals;
};

/// Server parameters of one Bind. Owns sealed bytes; kPass parameters borrow from the client's
/// message.
struct Filled {
  std::vector<std::int16_t> formats;
  std::vector<pgwire::BindParameter> parameters;
  std::vector<std::optional<seal::IndexToken>> tokens;  ///< per slot, of kCompare slots
  std::vector<std::unique_ptr<Bytes>> owned;
  std::uint64_t sealed = 0;

  void add(Bytes value);
  void add_null();
};

/// A client value in stored form (or, `compare`, as a comparand); nullopt for NULL.
Refusable<std::optional<std::string>> stored_value(const rewrite::ValueSource& source,
                                                   const ColumnRef& column, bool compare,
                                                   const ClientValues& values,
                                                   const pgwire::TextSettings& settings);

/// Identities of rows by Slot::row; the others get new ones.
using RowIds = std::map<int, RowId>;

Refusable<Filled> fill(const std::vector<rewrite::Slot>& slots, const rewrite::Catalogue& catalogue,
                       const ClientValues& values, const pgwire::TextSettings& settings,
                       Ciphers& ciphers, Random& random, RowIds row_ids = {});

}  // namespace theriac::gateway
