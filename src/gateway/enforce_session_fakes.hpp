// What the tests of an enforce session put around it: keys that can be taken away, an audit log
// that can be slow or broken, and a server made of a few rules.
#pragma once

#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/log.hpp"
#include "crypto/random.hpp"
#include "gateway/enforce_session.hpp"

namespace theriac::gateway::fakes {

using pgwire::FieldDescription;

inline constexpr std::uint32_t kPeople = 5000;

/// The database, ready and held, so that no session has to wait until it is looked at.
inline std::shared_ptr<Database> held_database(EnforceService& service, const std::string& name) {
  const auto ready = std::make_shared<std::promise<void>>();
  auto held = service.databases().attach(name, [ready] { ready->set_value(); }).value();
  ready->get_future().wait();
  return held;
}

inline std::shared_ptr<const rewrite::Catalogue> catalogue(bool bound = false) {
  rewrite::Protection name{.number = 1};
  name.field.bytes[0] = 7;
  name.class_name = "person";
  name.searchable = true;
  name.domain = "name";
  name.sealed_attribute = 4;
  name.index_attribute = 5;
  const auto helper = [](const char* text, std::int16_t attribute, std::uint32_t oid) {
    return rewrite::Column{text, attribute, {oid, -1}, "bytea", false, true, std::nullopt};
  };
  rewrite::Relation people;
  people.oid = kPeople;
  people.schema = "public";
  people.name = "people";
  people.bound = bound;
  people.columns = {{"id", 1, {pgwire::kOidInt4, -1}, "integer", false, false, std::nullopt},
                    {"name", 2, {pgwire::kOidText, -1}, "text", false, false, name},
                    {"city", 3, {pgwire::kOidText, -1}, "text", false, false, std::nullopt},
                    helper("theriac_sealed_1", 4, pgwire::kOidBytea),
                    helper("theriac_index_1", 5, pgwire::kOidBytea)};
  if (bound) people.columns.push_back(helper("theriac_row", 6, 2950));
  people.keys = {{1}};
  rewrite::Relation cities;
  cities.oid = kPeople + 1;
  cities.schema = "public";
  cities.name = "cities";
  cities.columns = {{"city", 1, {pgwire::kOidText, -1}, "text", false, false, std::nullopt}};
  // Not protected; what the name means hangs on the search_path.
  rewrite::Relation others;
  others.oid = kPeople + 2;
  others.schema = "other";
  others.name = "people";
  others.columns = {{"id", 1, {pgwire::kOidInt4, -1}, "integer", false, false, std::nullopt},
                    {"name", 2, {pgwire::kOidText, -1}, "text", false, false, std::nullopt},
                    {"city", 3, {pgwire::kOidText, -1}, "text", false, false, std::nullopt}};
  return std::make_shared<rewrite::Catalogue>(1, std::vector{people, cities, others});
}

inline policy::Policy make_policy() {
  return *policy::parse_policy(
      "version: 1\ntenant: t\nclasses:\n  person: {suite: aes, bind_rows: false, buckets: [16]}\n"
      "columns:\n  - {table: public.people, column: name, class: person, searchable: true, "
      "domain: name, accept_leakage: true}\n"
      "roles:\n  app: {person: clear}\n  shop: {person: {mask: name}}\n  out: {person: denied}\n",
      "test");
}

inline lease::Keyring ring() {
  lease::Keyring made;
  made.generation = 1;
  for (const auto purpose : {seal::Purpose::kData, seal::Purpose::kIndex}) {
    seal::LeasedKey key;
    key.purpose = purpose;
    key.class_name = "person";
    key.active = true;
    key.material = crypto::new_key256();
    key.id = seal::commit_key(key.suite, purpose, key.material);
    made.keys.push_back(std::move(key));
  }
  return made;
}

/// Keys that can be taken away.
class Keys final : public lease::KeySource {
 public:
  Result<std::shared_ptr<const lease::Keyring>> ring(std::string_view name, bool) const override {
    if (revoked) return fail(Code::kRevoked, std::string(name));
    return ring_;
  }
  [[nodiscard]] std::uint64_t generation() const override { return 1; }
  bool revoked = false;

 private:
  std::shared_ptr<const lease::Keyring> ring_ =
      std::make_shared<const lease::Keyring>(fakes::ring());
};

class Trail final : public audit::AuditLog {
 public:
  Result<std::uint64_t> append_durable(audit::Event event) override {
    events.push_back(std::move(event));
    return events.size();
  }
  Status append(audit::Event event, audit::Durable durable) override {
    if (full) return fail(Code::kBusy, "audit");
    if (settles) event.settle();
    events.push_back(std::move(event));
    if (!durable) return {};
    if (slow) {
      waiting.push_back(std::move(durable));
    } else {
      answer(durable);
    }
    return {};
  }
  void answer(const audit::Durable& durable) const {
    if (broken) {
      durable(fail(Code::kDiskFull, "audit"));
    } else {
      durable(events.size());
    }
  }
  void release() {
    for (const auto& durable : std::exchange(waiting, {})) answer(durable);
  }
  Status flush() override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return events.size(); }
  [[nodiscard]] int count(std::string_view action) const {
    return static_cast<int>(std::count_if(events.begin(), events.end(),
                                          [&](const auto& e) { return e.action == action; }));
  }
  std::vector<audit::Event> events;
  std::vector<audit::Durable> waiting;
  bool slow = false, broken = false, full = false;
  bool settles = true;  ///< entries are written at once
};

/// Answers as PostgreSQL would, from a list of what each text returns.
class Server {
 public:
  struct Result {
    std::vector<FieldDescription> fields;
    std::vector<std::vector<std::optional<Bytes>>> rows;
    std::string tag = "SELECT 1";
  };
  std::map<std::string, Result> results;  ///< by a part of the text
  std::string seen;                       ///< every byte received
  std::vector<std::string> texts;
  std::vector<Bytes> bound;  ///< every parameter value received
  char status = 'I';

  Bytes feed(ByteView bytes) {
    append(in_, bytes);
    seen.append(text_of(bytes));
    Bytes out;
    for (;;) {
      const auto frame = pgwire::cut_message(in_, pgwire::kMessageBytesMax);
      if (!frame || !*frame) break;
      handle(**frame, out);
      in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>((*frame)->raw.size()));
    }
    return out;
  }

 private:
  const Result* find(const std::string& sql) const {
    for (const auto& [part, result] : results) {
      if (sql.find(part) != std::string::npos) return &result;
    }
    return nullptr;
  }
  void fields(const Result* r, Bytes& out) const {
    if (r == nullptr || r->fields.empty()) {
      pgwire::write_message(out, 'n', {});
    } else {
      pgwire::write_row_description(out, r->fields);
    }
  }
  void rows(const Result* r, Bytes& out) const {
    if (r != nullptr) {
      for (const auto& row : r->rows) {
        std::vector<pgwire::DataColumn> columns;
        for (const auto& v : row) {
          columns.push_back({!v.has_value(), v ? ByteView(*v) : ByteView{}});
        }
        pgwire::write_data_row(out, columns);
      }
    }
    pgwire::write_message(out, 'C',
                          bytes_of((r != nullptr ? r->tag : "OK") + std::string(1, '\0')));
  }
  void error(Bytes& out, std::string sqlstate = "42601") {
    pgwire::write_error(out, {.sqlstate = std::move(sqlstate), .message = "an error"});
    if (status == 'T') status = 'E';
  }
  void handle(const pgwire::Frame& frame, Bytes& out) {
    if (skipping_ && frame.tag != 'S') return;
    switch (frame.tag) {
      case 'P': {
        const auto parse = *pgwire::read_parse(frame.body);
        texts.emplace_back(parse.sql);
        if (parse.sql.starts_with("refused by")) {
          error(out);
          skipping_ = true;
          return;
        }
        prepared_[std::string(parse.statement)] = parse.sql;
        pgwire::write_message(out, '1', {});
        return;
      }
      case 'B': {
        const auto bind = *pgwire::read_bind(frame.body);
        const auto known = prepared_.find(std::string(bind.statement));
        if (known == prepared_.end()) {
          error(out, "26000");
          skipping_ = true;
          return;
        }
        portal_ = known->second;
        for (const auto& p : bind.parameters) bound.emplace_back(p.value.begin(), p.value.end());
        pgwire::write_message(out, '2', {});
        return;
      }
      case 'D': {
        const auto target = *pgwire::read_target(frame.body);
        const auto sql = target.kind == 'S' ? prepared_[std::string(target.name)] : portal_;
        if (target.kind == 'S') pgwire::write_parameter_description(out, {});
        fields(find(sql), out);
        return;
      }
      case 'E':
        rows(find(portal_), out);
        return;
      case 'C':
        pgwire::write_message(out, '3', {});
        return;
      case 'S':
        skipping_ = false;
        pgwire::write_ready(out, status);
        return;
      case 'Q': {
        const std::string sql{*pgwire::read_query(frame.body)};
        texts.push_back(sql);
        if (sql.starts_with("refused by")) {
          error(out);
        } else {
          if (sql == "BEGIN") status = 'T';
          if (const auto* r = find(sql); r != nullptr && !r->fields.empty()) {
            pgwire::write_row_description(out, r->fields);
          }
          rows(find(sql), out);
        }
        pgwire::write_ready(out, status);
        return;
      }
      case 'F':
        pgwire::write_message(out, 'V', std::array<std::uint8_t, 4>{255, 255, 255, 255});
        pgwire::write_ready(out, status);
        return;
      default:
        return;
    }
  }
  Bytes in_;
  std::map<std::string, std::string> prepared_;
  std::string portal_;
  bool skipping_ = false;
};

/// What the session is told when it asks for its settings.
inline Server::Result settings_answer(std::string_view schema, std::string_view user) {
  Server::Result result;
  result.fields = {{"encode", 0, 0, 25, -1, -1, 0}};
  const auto text =
      fmt::format(R"([["pg_catalog","{}"],"{}","UTF8","on","hex","1","ISO, MDY","UTC","postgres"])",
                  schema, user);
  result.rows = {{bytes_of(to_hex(view_of(text)))}};
  return result;
}

}  // namespace theriac::gateway::fakes
