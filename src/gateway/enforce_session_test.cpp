// The enforce session against a server made of a few rules: what is sent, what comes back, in which
// order, and that nothing clear ever goes to the server.
#include "gateway/enforce_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "gateway/enforce_session_fakes.hpp"

namespace theriac::gateway {
namespace {

using namespace fakes;  // NOLINT: the test is about them

using testing::HasSubstr;
using testing::Not;

class EnforceSessionTest : public testing::Test {
 protected:
  void start(const std::string& user = "app", bool bound = false, const char* superuser = "off") {
    EnforceService::Parts parts;
    parts.policy = make_policy();
    keys_ = std::make_shared<Keys>();
    trail_ = std::make_shared<Trail>();
    parts.keys = keys_;
    parts.audit = trail_;
    parts.load = [bound](const std::string&, std::uint64_t) -> Result<Snapshot> {
      return Snapshot{catalogue(bound), nullptr};
    };
    parts.fingerprint = [](const std::string&) { return std::uint64_t{1}; };
    parts.first_database = user;
    parts.clock = &clock_;
    parts.random = &random_;
    parts.log = &log_;
    parts.catalogue_poll_ms = 60'000;
    service_ = *EnforceService::start(std::move(parts));
    held_ = held_database(*service_, user);
    pgwire::StartupMessage startup;
    startup.parameters = {{"user", user}};
    user_ = user;
    session_ = *service_->make_session(startup, [this] { ++woken_; });
    search_path("public");
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
  /// What the server says its settings are.
  void search_path(std::string_view schema) {
    server_.results["current_schemas"] = settings_answer(schema, user_);
  }
  /// Parse, Bind and Execute of each, and one Sync.
  void pipeline(std::initializer_list<std::string_view> texts) {
    Bytes out;
    for (const auto sql : texts) {
      pgwire::write_parse(out, "", sql, {});
      pgwire::write_bind(out, {});
      pgwire::write_execute(out, {"", 0});
    }
    pgwire::write_sync(out);
    client(out);
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
    const auto snapshot = (*service_->databases().attach(user_, [] {}))->catalogue();
    const auto* relation = snapshot->find(kPeople);
    // The session asks for sealed columns in binary.
    return *ciphers_->seal({relation, &relation->columns[1]}, std::nullopt, value);
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
  std::string user_;
  std::unique_ptr<EnforceService> service_;
  std::shared_ptr<Database> held_;
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

TEST_F(EnforceSessionTest, LikeStatementsAreOneEntryUntilItIsWritten) {
  start();
  trail_->settles = false;
  server_.results["theriac_sealed_1"] = names({"张伟", "Bob"});
  for (int i = 0; i < 3; ++i) query("SELECT name FROM people");
  query("SELECT id, name FROM people WHERE id < 3");
  ASSERT_EQ(trail_->count("statement"), 2);
  auto first = std::find_if(trail_->events.begin(), trail_->events.end(),
                            [](const auto& e) { return e.action == "statement"; });
  first->settle();
  EXPECT_EQ(first->details["statements"], 3);
  EXPECT_EQ(first->details["opened"], 6);
  query("SELECT name FROM people");
  EXPECT_EQ(trail_->count("statement"), 3);
}

TEST_F(EnforceSessionTest, UntouchedTextGoesByteForByte) {
  start();
  query("select  CITY from cities -- comment");
  ASSERT_EQ(server_.texts.size(), 1U);
  EXPECT_EQ(server_.texts[0], "select  CITY from cities -- comment");
  EXPECT_EQ(trail_->count("session.grant"), 0);
}

// Each was planned with the search_path from before it, under which the table is another one that
// is not protected: the value went to the server in clear.
TEST_F(EnforceSessionTest, WhatFollowsASetInAPipelineIsPlannedAfterIt) {
  for (const std::string_view end : {"SET search_path = public", "COMMIT", "ROLLBACK TO s",
                                     "SELECT set_config('search_path', 'public', false)"}) {
    start();
    search_path("other");
    query("BEGIN");
    query("SET search_path = other");
    query("SELECT city FROM people");
    search_path("public");
    pipeline({end, "INSERT INTO people (id, name) VALUES (1, 'a value in clear')"});
    EXPECT_THAT(server_.seen, Not(HasSubstr("a value in clear"))) << end;
    EXPECT_THAT(server_.seen, HasSubstr("theriac_sealed_1")) << end;
  }
}

TEST_F(EnforceSessionTest, TheEndOfASavepointUndoesASet) {
  start();
  search_path("other");
  query("BEGIN");
  query("SET search_path = other");
  query("SELECT city FROM people");
  search_path("public");
  query("ROLLBACK TO s");
  query("INSERT INTO people (id, name) VALUES (1, 'a value in clear')");
  EXPECT_THAT(server_.seen, Not(HasSubstr("a value in clear")));
  EXPECT_THAT(server_.seen, HasSubstr("theriac_sealed_1"));
  shown_.clear();
  query("SET search_path = other");
  search_path("other");
  query("SELECT city FROM people");
  shown_.clear();
  query("COMMIT; INSERT INTO people (id, name) VALUES (1, 'a value in clear')");
  EXPECT_EQ(picture(), "E(0A000) ZE");
  EXPECT_THAT(server_.seen, Not(HasSubstr("a value in clear")));
}

// Its Bind went to the server, which skipped it, with the values in clear.
TEST_F(EnforceSessionTest, ParametersOfARefusedStatementAreNotSent) {
  start();
  Bytes out;
  const auto value = bytes_of("a value in clear");
  const auto bind = [&](std::string_view name) {
    pgwire::Bind made;
    made.statement = name;
    made.parameters = {{false, value}};
    pgwire::write_bind(out, made);
    pgwire::write_execute(out, {"", 0});
  };
  pgwire::write_parse(out, "s", "SELECT id FROM people WHERE name LIKE $1", {});
  bind("s");
  pgwire::write_sync(out);
  bind("s");
  pgwire::write_sync(out);
  bind("never parsed");
  pgwire::write_sync(out);
  client(out);
  EXPECT_EQ(picture(), "E(0A000) ZI E(26000) ZI E(26000) ZI");
  EXPECT_THAT(server_.seen, Not(HasSubstr("a value in clear")));
}

// A Close that the server skips closes nothing; the statement's next Bind was not understood.
TEST_F(EnforceSessionTest, ACloseThatIsSkippedClosesNothing) {
  start();
  server_.results["theriac_sealed_1"] = names({"a value in clear"});
  Bytes out;
  pgwire::write_parse(out, "s", "SELECT name FROM people WHERE name = $1", {});
  pgwire::write_sync(out);
  pgwire::write_parse(out, "", "refused by the test", {});
  pgwire::write_close(out, {'S', "s"});
  pgwire::write_sync(out);
  const auto value = bytes_of("a value in clear");
  pgwire::Bind bind;
  bind.statement = "s";
  bind.parameters = {{false, value}};
  pgwire::write_bind(out, bind);
  pgwire::write_execute(out, {"", 0});
  pgwire::write_sync(out);
  client(out);
  EXPECT_THAT(server_.seen, Not(HasSubstr("a value in clear")));
  EXPECT_EQ(picture(), "1 ZI E(42601) ZI 2 D(a value in clear) C ZI");
}

TEST_F(EnforceSessionTest, WhatTheServerSkipsIsNotSent) {
  start();
  Bytes out;
  pgwire::write_parse(out, "", "refused by the test", {});
  pgwire::write_flush(out);
  client(out);
  server_.seen.clear();
  shown_.clear();
  out.clear();
  pgwire::write_query(out, "SELECT name FROM people");
  pgwire::write_parse(out, "", "SELECT city FROM cities WHERE city = 'skipped'", {});
  pgwire::write_sync(out);
  client(out);
  EXPECT_THAT(server_.seen, Not(HasSubstr("skipped")));
  EXPECT_EQ(picture(), "ZI") << "a Query that is skipped has no ReadyForQuery";
}

TEST_F(EnforceSessionTest, AFunctionCallMayHaveChangedTheSearchPath) {
  start();
  server_.results["theriac_sealed_1"] = names({"张伟"});
  query("SELECT name FROM people");
  server_.texts.clear();
  shown_.clear();
  // The function's oid, no formats, no arguments, the result as text.
  Bytes call;
  pgwire::write_message(call, 'F', std::array<std::uint8_t, 10>{0, 0, 8, 30});
  client(call);
  EXPECT_EQ(picture(), "V ZI");
  query("SELECT name FROM people");
  ASSERT_GE(server_.texts.size(), 1U);
  EXPECT_NE(server_.texts[0].find("current_schemas"), std::string::npos);
  EXPECT_EQ(picture(), "T D(张伟) C ZI");
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
  query("SELECT count(DISTINCT name) FROM people");
  EXPECT_EQ(picture(), "E(42501) ZI");
  query("SELECT b.id FROM people a JOIN people b ON a.name = b.name WHERE a.id = 1");
  EXPECT_EQ(picture(), "E(42501) ZI");
  query("INSERT INTO people (id, name) VALUES (1, 'x')");
  EXPECT_EQ(picture(), "E(42501) ZI");
  query("UPDATE people SET name = NULL WHERE id = 1");
  EXPECT_EQ(picture(), "E(42501) ZI") << "nor emptied";
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
  auto& last = wrong.rows[0][0]->back();
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
