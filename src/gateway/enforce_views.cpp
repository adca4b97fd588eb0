// CREATE VIEW over protected columns: the client's statement has run; the view gets its protected
// form in the same transaction (protect/view_making.hpp).
#include "gateway/enforce_session.hpp"
#include "protect/adoption.hpp"
#include "protect/view_making.hpp"

namespace theriac::gateway {

void EnforceSession::form_view(const rewrite::FollowedDdl::MadeView& view, const Where& where,
                               const std::function<void(bool failed, Io&)>& done, Io& io) {
  const auto then = [this, done, where](bool failed, Io& later) {
    if (failed || collected_too_many_) return done(true, later);
    auto rows = collected_rows();
    if (!rows) {
      refuse_extended(pgwire::report_of(rows.error()), later);
      return done(true, later);
    }
    auto made = protect::new_view(*rows, *catalogue(), context());
    if (made) return register_view(std::move(*made), where, done, later);
    // The client's statement was done: with this one refused its transaction takes it back.
    refuse_extended(report_of_refusal(made.error()), later);
    done(true, later);
  };
  ask(protect::new_view_sql(view), then, io);
}

void EnforceSession::register_view(protect::NewView view, const Where& where,
                                   const std::function<void(bool failed, Io&)>& done, Io& io) {
  const auto key = database_->key();
  if (!key) return done(true, io);
  protect::SettleArguments known;
  known.role = role_;
  known.views.push_back(view.settled);
  const auto know = [this, key, where, done,
                     text = protect::settle_json(known, service_.policy()).dump()](bool failed,
                                                                                   Io& later) {
    if (failed) return done(true, later);
    ask(settle_call(*key, where, text), done, later);
  };
  if (view.form_sql.empty()) return know(false, io);
  protect::SettleArguments kept;
  kept.role = role_;
  kept.acts.push_back({.kind = rewrite::DdlAct::Kind::kKeepView,
                       .number = 0,
                       .column = {},
                       .privileges = {},
                       .roles = {},
                       .grant_option_only = false,
                       .cascade = false,
                       .relation = view.settled.oid});
  const auto form = [this, know, sql = view.form_sql](bool failed, Io& later) {
    if (failed) return know(true, later);
    ask(sql, know, later);
  };
  ask(settle_call(*key, where, protect::settle_json(kept, service_.policy()).dump()), form, io);
}

}  // namespace theriac::gateway
