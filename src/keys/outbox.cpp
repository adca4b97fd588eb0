#include "keys/outbox.hpp"

#include <vector>

namespace theriac::keys {
namespace {

Result<audit::Event> read_event(std::string_view text) {
  const auto json = codec::parse_json(text);
  if (!json || !json->is_object()) return fail(Code::kNotAuthentic, "outbox");
  audit::Event event;
  for (const auto& [name, target] :
       {std::pair{"action", &event.action}, std::pair{"actor", &event.actor},
        std::pair{"role", &event.role}, std::pair{"object", &event.object},
        std::pair{"reason", &event.reason}, std::pair{"correlation", &event.correlation}}) {
    const auto found = json->find(name);
    if (found == json->end() || !found->is_string()) return fail(Code::kNotAuthentic, "outbox");
    *target = found->get<std::string>();
  }
  if (const auto details = json->find("details"); details != json->end()) event.details = *details;
  return event;
}

}  // namespace

Status put_in_outbox(store::Database& database, audit::Event event, Random& random) {
  if (event.correlation.empty()) {
    event.correlation = to_hex(random.id<Id<struct OutboxTag, 16>>().view());
  }
  return database.run("INSERT INTO outbox(event) VALUES(?)",
                      codec::canonical_json({{"action", event.action},
                                             {"actor", event.actor},
                                             {"role", event.role},
                                             {"object", event.object},
                                             {"reason", event.reason},
                                             {"correlation", event.correlation},
                                             {"details", event.details}}));
}

Status drain_outbox(store::Database& database, audit::AuditLog& audit) {
  std::vector<std::pair<std::int64_t, std::string>> waiting;
  {
    THERIAC_ASSIGN(auto row, database.prepare("SELECT id, event FROM outbox ORDER BY id"));
    while (true) {
      THERIAC_ASSIGN(const bool more, row.step());
      if (!more) break;
      waiting.emplace_back(row.integer(0), std::string(row.text(1)));
    }
  }
  for (const auto& [id, text] : waiting) {
    THERIAC_ASSIGN(auto event, read_event(text));
    THERIAC_TRY(audit.append_durable(std::move(event)));
    THERIAC_TRY(database.run("DELETE FROM outbox WHERE id = ?", id));
  }
  return {};
}

}  // namespace theriac::keys
