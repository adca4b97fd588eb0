// COPY of protected tables and of queries on them: what the statement asks for, and the texts that
// take its place. Pure. The query inside (or made of the table's columns) is rewritten as any
// other; the text of the COPY itself is never deparsed but built from its options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// One COPY, read from its tree.
struct CopyRequest {
  CopyPlan plan;
  const Relation* relation = nullptr;  ///< of COPY table; nullptr: COPY (query)
  /// The query whose rows go out; or, for COPY ... FROM ... WHERE, a SELECT from the table with
  /// that condition. Empty: there is none.
  pg::Node* query = nullptr;
  /// Options as the server is to get them, each as text ("DELIMITER ';'").
  std::vector<std::string> server_options;
  /// FORCE_QUOTE: for COPY TO, by name.
  bool quote_all = false;
  std::vector<std::string> quote_names;
  /// COPY FROM that gives and needs nothing protected: if its condition is not edited either, the
  /// client's own text says all.
  bool plain = false;
};

/// nullopt: `out` is set, with nodes on `arena`. For a COPY that names something protected.
std::optional<Refusal> read_copy(const pg::CopyStmt& statement, const Catalogue& catalogue,
                                 const Context& context, google::protobuf::Arena& arena,
                                 CopyRequest& out);

/// Options into the plan and the server's texts; nullopt if all are understood.
std::optional<Refusal> read_copy_options(const pg::CopyStmt& statement, const Context& context,
                                         CopyRequest& out);

/// COPY (query) TO STDOUT; `query` is the rewritten text.
std::string copy_to_text(const CopyRequest& request, std::string_view query);
/// COPY table (server's columns) FROM STDIN; `condition` is the rewritten WHERE or empty.
std::string copy_from_text(const CopyRequest& request, std::string_view condition);

}  // namespace theriac::rewrite
