// CREATE VIEW over protected columns through the gateway: what the gateway asks about the view that
// the client has just made, and what it sends then, in the same transaction.
//
//   1. new_view_sql(): the view's columns and text, over the client's connection.
//   2. theriac.settle() with kKeepView: the registry keeps what the view says.
//   3. NewView::form_sql, as the client, who owns the view.
//   4. theriac.settle() with NewView::settled: which columns it gives, and the rights on them.
//
// Pure.
#pragma once

#include "protect/adoption.hpp"
#include "protect/rows.hpp"
#include "rewrite/view.hpp"

namespace theriac::protect {

/// The question about a view; an empty schema is the current one. Asked in the client's session, so
/// that names are printed as its search_path has them.
std::string new_view_sql(const rewrite::FollowedDdl::MadeView& view);

struct NewView {
  std::string form_sql;  ///< CREATE OR REPLACE VIEW; empty: it stays as it is
  SettledView settled;
};
/// `catalogue`, `context`: those the client's statement was planned with.
tl::expected<NewView, rewrite::Refusal> new_view(const Rows& answer,
                                                 const rewrite::Catalogue& catalogue,
                                                 const rewrite::Context& context);

}  // namespace theriac::protect
