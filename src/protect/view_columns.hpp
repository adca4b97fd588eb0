// A view's column over protected ones, as the analysis must know it (rewrite/view.hpp): made from
// the registry by the loader, and from a form that is being made.
#pragma once

#include <string>
#include <vector>

#include "protect/rows.hpp"
#include "rewrite/view.hpp"

namespace theriac::protect {

/// Gives the view's column its protection, like that of `first`, the first of its origins, and
/// marks its helpers; false if one of them is not there.
bool protect_view_column(rewrite::Relation& view, const rewrite::ViewForm::Helped& helped,
                         const rewrite::Column& first);

/// The question for what PostgreSQL lets be updated through views in their protected form; empty if
/// there are none. Not those over tables with UPDATE OF triggers: the view's protected columns are
/// none that such a trigger could know of.
std::string view_sources_sql(const std::vector<rewrite::Relation>& relations);
/// The answer: a view over one relation has the keys of it whose columns it shows.
void give_view_keys(const Rows& rows, std::vector<rewrite::Relation>& relations);

}  // namespace theriac::protect
