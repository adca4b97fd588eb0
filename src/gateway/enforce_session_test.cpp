// The enforce session against a server made of a few rules: what is sent, what comes back, in which
// order, and that nothing clear ever goes to the server.
#include "gateway/enforce_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace theriac::gateway {
namespace {

using pgwire::FieldDescription;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kPeople = 5000;

std::shared_ptr<const rewrite::Catalogue> catalogue(bool bound = false) {
  rewrite::Protection name{.number = 1};
  name.field.bytes[0] = 7;
  name.class_name = "person";
  name.searchable = true;
  name.domain = "name";
  name.sealed_attribute = 4;
  name.index_attribute = 5;
  const auto helper = [](const char* text, std::int16_t attribute, std::uint32_t oid) {
    return rewrite::Column{text, attribute, {oid, -1}, true, std::nullopt};
  };
  rewrite::Relation people;
  people.oid = kPeople;
  people.schema = "public";
  people.name = "people";
  people.bound = bound;
  people.columns = {{"id", 1, {pgwire::kOidInt4, -1}, false, std::nullopt},
                    {"name", 2, {pgwire::kOidText, -1}, false, name},
                    {"city", 3, {pgwire::kOidText, -1}, false, std::nullopt},
                    helper("theriac_sealed_1", 4, pgwire::kOidBytea),
                    helper("theriac_index_1", 5, pgwire::kOidBytea)};
  if (bound) people.columns.push_back(helper("theriac_row", 6, 2950));
  people.keys = {{1}};
  rewrite::Relation cities;
  cities.oid = kPeople + 1;
  cities.schema = "public";
  cities.name = "cities";
  cities.columns = {{"city", 1, {pgwire::kOidText, -1}, false, std::nullopt}};
  return std::make_shared<rewrite::Catalogue>(1, std::vector{people, cities});
}

policy::Policy make_policy() {
  return *policy::parse_policy(
      "version: 1\ntenant: t\nclasses:\n  person: {suite: aes, bind_rows: false, buckets: [16]}\n"
      "columns:\n  - {table: public.people, column: name, class: person, searchable: true, "
      "domain: name, accept_leakage: true}\n"
      "roles:\n  app: {person: clear}\n  shop: {person: {mask: name}}\n  out: {person: denied}\n",
      "test");
}

lease::Keyring ring() {
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
      std::make_shared<const lease::Keyring>(gateway::ring());
};

class Trail final : public audit::AuditLog {
 public:
  Result<std::uint64_t> append_durable(audit::Event event) override {
    events.push_back(std::move(event));
    return events.size();
  }
  Status append(audit::Event event, audit::Durable durable) override {
    if (full) return fail(Code::kBusy, "audit");
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
  void error(Bytes& out) {
    pgwire::write_error(out, {.sqlstate = "42601", .message = "syntax error"});
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
        portal_ = prepared_[std::string(bind.statement)];
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
      default:
        return;
    }
  }
  Bytes in_;
  std::map<std::string, std::string> prepared_;
  std::string portal_;
  bool skipping_ = false;
};

class EnforceSessionTest : public testing::Test {
 protected:
  void start(const std::string& user = "app", bool bound = false, const char* superuser = "off") {
    EnforceService::Parts parts;
    parts.policy = make_policy();
    keys_ = std::make_shared<Keys>();
    trail_ = std::make_shared<Trail>();
    parts.keys = keys_;
    parts.audit = trail_;
    parts.load_catalogue = [bound](std::uint64_t) { return catalogue(bound); };
    parts.fingerprint = [] { return std::uint64_t{1}; };
    parts.clock = &clock_;
    parts.random = &random_;
    parts.log = &log_;
    parts.catalogue_poll_ms = 60'000;
    service_ = *EnforceService::start(std::move(parts));
    pgwire::StartupMessage startup;
    startup.parameters = {{"user", user}};
    session_ = *service_->make_session(startup, [this] { ++woken_; });
    server_.results["current_schemas"] = {
        {{"to_json", 0, 0, 25, -1, -1, 0}, {"current_user", 0, 0, 25, -1, -1, 0}},
        {{bytes_of("[\"pg_catalog\",\"public\"]"), bytes_of(user)}},
        "SELECT 1"};
    ciphers_ = std::make_unique<Ciphers>(*keys_, service_->policy(), random_);
    Bytes greeting;
    const std::array<std::uint8_t, 4> ok{};
    pgwire::write_message(greeting, 'R', ok);
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"is_superuser", superuser}, {"DateStyle", "ISO, MDY"}, {"TimeZone", "UTC"}}) {
      pgwire::write_message(greeting, 'S',
                            bytes_of(name + std::string(1, '\0') + value + std::string(1, '\0')));
    }
    pgwire::write_ready(greeting, 'I');
    exchange_server(greeting);
    shown_.clear();
    server_.seen.clear();
    server_.texts.clear();
  }
  /// Feeds server bytes, then keeps both sides talking until nothing moves; `step` bytes a time.
  void exchange_server(Bytes bytes) {
    while (!bytes.empty()) {
      Io io;
      const auto n = std::min(step_, bytes.size());
      session_->from_server(ByteView(bytes).first(n), io);
      bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      take(io, bytes);
    }
  }
  void take(Io& io, Bytes& from_server) {
    append(shown_, io.to_client);
    finished_ = finished_ || io.finished;
    append(from_server, server_.feed(io.to_server));
  }
  void client(ByteView bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += step_) {
      Io io;
      session_->from_client(bytes.subspan(at, std::min(step_, bytes.size() - at)), io);
      Bytes answer;
      take(io, answer);
      exchange_server(std::move(answer));
      wake();
    }
  }
  void wake() {
    while (woken_ > 0) {
      --woken_;
      Io io;
      session_->resume(io);
      Bytes answer;
      take(io, answer);
      exchange_server(std::move(answer));
    }
  }
  void query(std::string_view sql) {
    Bytes out;
    pgwire::write_query(out, sql);
    client(out);
  }
  /// Tags of what the client got, with data: "T D(张伟) C Z".
  std::string picture() {
    std::string text;
    ByteView rest = shown_;
    for (;;) {
      const auto frame = pgwire::cut_message(rest, pgwire::kMessageBytesMax);
      if (!frame || !*frame) break;
      text += text.empty() ? "" : " ";
      text += (*frame)->tag;
      if ((*frame)->tag == 'D') {
        std::vector<pgwire::DataColumn> columns;
        EXPECT_TRUE(pgwire::read_data_row((*frame)->body, columns));
        text += '(';
        for (const auto& c : columns) {
          text += c.is_null ? std::string("null") : std::string(text_of(c.value));
          text += ',';
        }
        text.back() = ')';
      } else if ((*frame)->tag == 'E') {
        for (const auto& f : pgwire::read_notice((*frame)->body)) {
          if (f.code == 'C') text += "(" + std::string(f.text) + ")";
        }
      } else if ((*frame)->tag == 'Z') {
        text += static_cast<char>((*frame)->body[0]);
      }
      rest = rest.subspan((*frame)->raw.size());
    }
    EXPECT_TRUE(rest.empty());
    shown_.clear();
    return text;
  }
  Bytes sealed(std::string_view value) {
    const auto snapshot = service_->catalogue();
    const auto* relation = snapshot->find(kPeople);
    const auto bytes = *ciphers_->seal({relation, &relation->columns[1]}, std::nullopt, value);
    return bytes_of("\\x" + to_hex(bytes));
  }
  /// The people's name as the server stores it.
  Server::Result names(std::initializer_list<std::string_view> values) {
    Server::Result result;
    result.fields = {{"name", kPeople, 4, pgwire::kOidBytea, -1, -1, 0}};
    for (const auto v : values) result.rows.push_back({sealed(v)});
    return result;
  }

  ManualClock clock_;
  crypto::SystemRandom random_;
  NullLog log_;
  std::shared_ptr<Keys> keys_;
  std::shared_ptr<Trail> trail_;
  std::unique_ptr<EnforceService> service_;
  std::unique_ptr<Ciphers> ciphers_;
  std::unique_ptr<Session> session_;
  Server server_;
  Bytes shown_;
  std::size_t step_ = 1 << 20;
  int woken_ = 0;
  bool finished_ = false;
};

TEST_F(EnforceSessionTest, OpensWhatIsReadAndRecordsIt) {
  start();
  server_.results["theriac_sealed_1"] = names({"张伟", "Bob"});
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "T D(张伟) D(Bob) C ZI");
  EXPECT_EQ(trail_->count("session.grant"), 1);
  EXPECT_EQ(trail_->count("statement"), 1);
  query("SELECT name FROM people");
  EXPECT_EQ(trail_->count("session.grant"), 1) << "one grant lasts";
}

TEST_F(EnforceSessionTest, UntouchedTextGoesByteForByte) {
  start();
  query("select  CITY from cities -- comment");
  ASSERT_EQ(server_.texts.size(), 1U);
  EXPECT_EQ(server_.texts[0], "select  CITY from cities -- comment");
  EXPECT_EQ(trail_->count("session.grant"), 0);
}

TEST_F(EnforceSessionTest, NothingClearGoesToTheServer) {
  start();
  query("INSERT INTO people (id, name) VALUES (1, 'CANARY-1'), (2, 'CANARY-2')");
  query("UPDATE people SET name = 'CANARY-3' WHERE id = 1");
  query("SELECT id FROM people WHERE name = 'CANARY-4'");
  query("SELECT id FROM people WHERE name LIKE 'CANARY-5%'");
  query("INSERT INTO people (id, name) VALUES (1, upper('CANARY-6'))");
  query("SELEC 'CANARY-7'");
  Bytes out;
  pgwire::write_parse(out, "s", "INSERT INTO people (id, name) VALUES ($1, $2)", {});
  pgwire::write_bind(out, {.portal = "",
                           .statement = "s",
                           .parameter_formats = {},
                           .parameters = {{false, view_of("1")}, {false, view_of("CANARY-8")}},
                           .result_formats = {}});
  pgwire::write_execute(out, {"", 0});
  pgwire::write_sync(out);
  client(out);
  EXPECT_THAT(server_.seen, Not(HasSubstr("CANARY")));
  EXPECT_THAT(server_.seen, HasSubstr("theriac_sealed_1"));
}

TEST_F(EnforceSessionTest, EqualValuesAreSealedDifferently) {
  start();
  query("INSERT INTO people (id, name) VALUES (1, 'same'), (2, 'same')");
  std::set<Bytes> sealed_values;
  for (const auto& b : server_.bound) {
    if (b.size() > 40) sealed_values.insert(b);
  }
  EXPECT_EQ(sealed_values.size(), 2U);
}

TEST_F(EnforceSessionTest, RefusalsStandInOrder) {
  start();
  server_.results["theriac_sealed_1"] = names({"Bob"});
  Bytes out;
  pgwire::write_parse(out, "a", "SELECT name FROM people", {});
  pgwire::write_bind(out, {.portal = "", .statement = "a"});
  pgwire::write_execute(out, {"", 0});
  pgwire::write_parse(out, "b", "SELECT name FROM people ORDER BY name", {});
  pgwire::write_bind(out, {.portal = "", .statement = "b"});
  pgwire::write_execute(out, {"", 0});
  pgwire::write_sync(out);
  pgwire::write_bind(out, {.portal = "", .statement = "a"});
  pgwire::write_execute(out, {"", 0});
  pgwire::write_sync(out);
  client(out);
  EXPECT_EQ(picture(), "1 2 D(Bob) C E(0A000) ZI 2 D(Bob) C ZI");
  EXPECT_EQ(trail_->count("statement.refused"), 1);
}

TEST_F(EnforceSessionTest, EverySplitGivesTheSame) {
  for (const std::size_t step : {1UL, 2UL, 3UL, 5UL, 7UL, 11UL, 64UL}) {
    step_ = 1 << 20;
    start();
    step_ = step;
    server_.results["theriac_sealed_1"] = names({"Bob"});
    Bytes out;
    pgwire::write_query(out, "SELECT name FROM people WHERE name = 'Bob'");
    pgwire::write_parse(out, "", "SELECT name FROM people WHERE id = $1", {});
    pgwire::write_describe(out, {'S', ""});
    pgwire::write_bind(out, {.portal = "",
                             .statement = "",
                             .parameter_formats = {},
                             .parameters = {{false, view_of("1")}},
                             .result_formats = {}});
    pgwire::write_execute(out, {"", 0});
    pgwire::write_sync(out);
    client(out);
    EXPECT_EQ(picture(), "T D(Bob) C ZI 1 t T 2 D(Bob) C ZI") << step;
  }
}

TEST_F(EnforceSessionTest, ThePolicyDecides) {
  start("shop");
  server_.results["theriac_sealed_1"] = names({"张伟"});
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "T D(张*) C ZI");
  query("SELECT id FROM people WHERE name = 'x'");
  EXPECT_EQ(picture(), "E(42501) ZI") << "masked columns cannot be probed";
  query("INSERT INTO people (id, name) VALUES (1, 'x')");
  EXPECT_EQ(picture(), "E(42501) ZI");
  start("out");
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "E(42501) ZI");
  start("stranger");
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "E(42501) ZI") << "default deny";
}

TEST_F(EnforceSessionTest, RevokedKeysStopTheNextStatement) {
  start();
  server_.results["theriac_sealed_1"] = names({"Bob"});
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "T D(Bob) C ZI");
  keys_->revoked = true;
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "E(28000) ZI");
  keys_->revoked = false;
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "T D(Bob) C ZI");
}

TEST_F(EnforceSessionTest, TheGrantIsDurableBeforeTheFirstPlaintext) {
  start();
  server_.results["theriac_sealed_1"] = names({"Bob"});
  trail_->slow = true;
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "");
  EXPECT_TRUE(server_.texts.empty());
  EXPECT_TRUE(session_->holds_client());
  trail_->slow = false;
  trail_->release();
  wake();
  EXPECT_EQ(picture(), "T D(Bob) C ZI");
}

TEST_F(EnforceSessionTest, WithoutAuditNothingIsOpened) {
  start();
  server_.results["theriac_sealed_1"] = names({"Bob"});
  trail_->broken = true;
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "E(53100) ZI");
  start();
  trail_->full = true;
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "E(53300) ZI");
}

TEST_F(EnforceSessionTest, AValueThatDoesNotOpenIsAnErrorAndEndsTheTransaction) {
  start();
  auto wrong = names({"Bob"});
  auto& last = wrong.rows[0][0]->back();  // a hexadecimal digit
  last = last == '0' ? '1' : '0';
  server_.results["theriac_sealed_1"] = wrong;
  query("BEGIN");
  picture();
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "T E(XX001) ZE");
  EXPECT_EQ(server_.status, 'E') << "the server's transaction failed too";
}

TEST_F(EnforceSessionTest, AServerThatLiesAboutColumnsIsNotBelieved) {
  start();
  auto lie = names({"Bob"});
  lie.fields[0].attribute = 5;
  server_.results["theriac_sealed_1"] = lie;
  query("SELECT name FROM people");
  EXPECT_EQ(picture(), "E(0A000) ZI");
  server_.results.erase("theriac_sealed_1");
  server_.results["cities"] = names({"Bob"});
  query("SELECT city FROM cities");
  EXPECT_THAT(picture(), HasSubstr("E(0A000)")) << "a helper in an untouched result";
}

TEST_F(EnforceSessionTest, SuperusersAreRefused) {
  start("app", false, "on");
  EXPECT_TRUE(finished_);
}

TEST_F(EnforceSessionTest, HostileMessagesEndTheSessionOnly) {
  for (const std::string_view bytes :
       {std::string_view("\0\0\0\0\0", 5), std::string_view("Q\xff\xff\xff\xff", 5),
        std::string_view("B\0\0\0\x05x", 6), std::string_view("~\0\0\0\x04", 5),
        std::string_view("Q\0\0\0\x06xx", 7)}) {
    start();
    client(view_of(bytes));
    EXPECT_TRUE(finished_);
    EXPECT_THAT(picture(), HasSubstr("E("));
    finished_ = false;
  }
}

}  // namespace
}  // namespace theriac::gateway
