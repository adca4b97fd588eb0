// A view's column over protected ones, as the analysis must know it (rewrite/view.hpp): made from
// the registry by the loader, and from a form that is being made.
#pragma once

#include "rewrite/view.hpp"

namespace theriac::protect {

/// Gives the view's column its protection, like that of `first`, the first of its origins, and
/// marks its helpers; false if one of them is not there.
bool protect_view_column(rewrite::Relation& view, const rewrite::ViewForm::Helped& helped,
                         const rewrite::Column& first);

}  // namespace theriac::protect
