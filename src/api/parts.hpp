// What several handlers need. Internal to the handlers.
#pragma once

#include "api/body.hpp"
#include "api/handlers.hpp"
#include "api/limits.hpp"
#include "trace/identify.hpp"
#include "trace/tracker.hpp"

namespace theriac::api {

inline Answer say(codec::Json body) { return {.status = 200, .body = std::move(body), .file = {}}; }
/// The row that was made or changed.
inline Answer say_row(Call& call, std::string_view table, std::int64_t id) {
  call.event.object = std::string(table) + " " + std::to_string(id);
  return say({{"id", id}});
}

struct Page {
  std::int64_t after = 0, limit = 0;
};
/// Of the query's cursor and limit. Code::kMalformed.
Result<Page> page_of(const Call& call);
/// A whole number in decimal digits.
std::optional<std::int64_t> number_of(std::string_view text);
/// One page with the cursor of the next, if there may be one.
template <typename Rows, typename Show>
Answer say_page(const Rows& rows, std::int64_t limit, Show show) {
  auto items = codec::Json::array();
  for (const auto& row : rows) items.push_back(show(row));
  codec::Json body{{"items", std::move(items)}};
  if (static_cast<std::int64_t>(rows.size()) == limit) {
    body["next"] = std::to_string(rows.back().id);
  }
  return say(std::move(body));
}

/// Code::kDenied for whoever is bound to a partner, of what is our own people's alone.
Status check_ours(const Call& call);

/// The "reason" of a change, which must say something.
Result<std::string> reason_of(Body& body);

/// Nothing was done, since some of what was named is refused: a problem with the list.
codec::Json show_refused(const std::vector<trace::RefusedItem>& refused, Language language);
Answer refuse_all(const Call& call, codec::Json refused);

/// The item of `text`. Code::kMalformed for what is no identifier, kNotFound for an unknown
/// product.
Result<trace::Identity> identify(trace::Identifier& identifier, std::string_view text);

}  // namespace theriac::api
