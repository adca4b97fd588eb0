// A server's Api without sockets: a store in a file, fixed keys, certificates of a small authority,
// and an audit log that remembers. For tests only.
//
// Threading: one thread.
#pragma once

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <algorithm>
#include <filesystem>

#include "api/api.hpp"
#include "api/schema.hpp"
#include "crypto/random.hpp"
#include "trace/identify.hpp"
#include "trace/pools.hpp"
#include "trace/test_support.hpp"

namespace theriac::api {

class RememberingLog final : public audit::AuditLog {
 public:
  Result<std::uint64_t> append_durable(audit::Event event) override {
    if (fails) return fail(Code::kDiskFull, "audit");
    events.push_back(std::move(event));
    return events.size();
  }
  Status append(audit::Event event, audit::Durable durable) override {
    auto done = append_durable(std::move(event));
    if (!done) return fail(done.error());
    if (durable) durable(*done);
    return {};
  }
  Status flush() override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return events.size(); }
  std::vector<audit::Event> events;
  bool fails = false;
};

inline Bytes der_of(const pki::Certificate& certificate) {
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.handle(), nullptr)));
  auto* at = der.data();
  i2d_X509(certificate.handle(), &at);
  return der;
}

struct Reply {
  int status = 0;
  std::string type, text;
  codec::Json json;  ///< null: it is none
  std::map<std::string, std::string> fields = {};
};

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    std::filesystem::create_directories(folder_);
    engine_.where = "sqlite:" + (folder_ / "api.db").string();
  }
  void SetUp() override {
    auto engine = store::open_engine(engine_, kSchema);
    THERIAC_ASSERT(engine.has_value());
    THERIAC_ASSERT(api_.open(std::move(*engine), 2).has_value());
  }
  ~ApiTest() override { std::filesystem::remove_all(folder_); }

  static std::string test_name() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    if (test == nullptr) return "fuzz";
    std::string name = test->name();
    std::ranges::replace(name, '/', '-');
    return name;
  }

  struct Person {
    pki::PrivateKey key;
    pki::Certificate certificate;
  };
  /// Made once for a name.
  const Person& person(pki::Role role, const std::string& name = {},
                       const std::string& tenant = "demo") {
    const auto full = (name.empty() ? std::string(pki::role_name(role)) : name) + "." + tenant;
    if (const auto found = people_.find(full); found != people_.end()) return found->second;
    auto key = pki::PrivateKey::generate();
    auto certificate =
        authority_.issue({.name = name.empty() ? std::string(pki::role_name(role)) : name,
                          .role = role,
                          .tenant = tenant},
                         key, clock_.wall_ms(), random_);
    THERIAC_ASSERT(certificate.has_value());
    return people_.emplace(full, Person{std::move(key), std::move(*certificate)}).first->second;
  }

  static const Operation& operation(std::string_view name) {
    const auto found = std::ranges::find(operations(), name, &Operation::name);
    THERIAC_ASSERT(found != operations().end());
    return *found;
  }

  struct Ask {
    std::string_view operation;
    codec::Json body = nullptr;
    std::int64_t id = 1;
    pki::Role role = pki::Role::kTraceAdmin;
    std::string name = {};
    std::string key = {};  ///< "": a new one
    std::string language = {};
    std::string tenant = "demo";
    std::vector<std::pair<std::string, std::string>> query = {};
  };
  Reply ask(const Ask& what) {
    const auto& of = operation(what.operation);
    const auto& who = person(what.role, what.name, what.tenant);
    const http::ClientCertificate certificate{der_of(who.certificate),
                                              who.certificate.fingerprint()};
    const auto key = what.key.empty() ? "key-" + std::to_string(++keys_made_) : what.key;
    http::FieldViews fields;
    if (key != "none") fields.push_back({"Idempotency-Key", key});
    fields.push_back({"Accept-Language", what.language});
    std::string target(of.path);
    if (const auto at = target.find("{id}"); at != std::string::npos) {
      target.replace(at, 4, std::to_string(what.id));
    }
    http::Request request;
    request.method = of.method;
    request.target = target;
    request.fields = &fields;
    request.path = {{"id", std::to_string(what.id)}};
    for (const auto& [name, value] : what.query) request.query.add(name, value);
    if (!what.body.is_null()) request.body = bytes_of(codec::canonical_json(what.body));
    request.peer = "10.0.0.7";
    request.certificate = &certificate;
    request.id = "request-1";
    return reply_of(api_.handle(of, request));
  }
  /// As an operator, and it must be done.
  codec::Json must(const Ask& what) {
    const auto reply = ask(what);
    EXPECT_EQ(reply.status, 200) << what.operation << " " << reply.text;
    return reply.json;
  }

  /// A product with a pool, a released lot and two places, the first with two
  /// lines, the second a partner's.
  void make_master() {
    product_ = must({"add_product", product_body()}).at("id");
    partner_ = must({"add_partner",
                     {{"name", "Hospital"},
                      {"gln", "9506000140001"},
                      {"kind", "hospital"},
                      {"certificates", {"shop-1"}}}})
                   .at("id");
    plant_ = must({"add_place",
                   {{"gln", "9506000140018"},
                    {"name", "Plant"},
                    {"prefix_length", 7},
                    {"lines", {"trace-line", "line-2"}}}})
                 .at("id");
    shop_ = must({"add_place",
                  {{"gln", "9506000140001"},
                   {"name", "Hospital"},
                   {"partner", partner_},
                   {"prefix_length", 7}}})
                .at("id");
    lot_ = must({"add_lot", lot_body("LOT1A")}).at("id");
    pool_ = must({"make_pool", {{"product", product_}, {"length", 12}, {"capacity", 100'000}}})
                .at("id");
  }
  static codec::Json product_body() {
    return {{"gtin", "09506000134352"}, {"name", "Stent 3.0 x 18"}, {"name_zh", "支架"},
            {"level", "each"},          {"prefix_length", 7},       {"kind", "device"}};
  }
  codec::Json lot_body(const std::string& number) const {
    return {{"product", product_},     {"number", number},
            {"made", "2023-10-01"},    {"expires", "2030-10-01"},
            {"certificate", "CoA-17"}, {"certificate_sha256", std::string(64, 'a')}};
  }
  codec::Json allocation_body(int count) const {
    return {{"pool", pool_}, {"count", count}, {"lot", lot_}, {"place", plant_}};
  }

  /// The items of an allocation of our product.
  std::vector<std::string> links(std::int64_t allocation) {
    auto engine = store::open_engine(engine_, kSchema);
    auto session = std::move(*(*engine)->connect());
    trace::Vault vault(keys_, random_);
    std::vector<std::string> all;
    EXPECT_TRUE(session->snapshot([&](store::Session& inside) -> Status {
      trace::Work work{inside, vault, clock_.wall_ms()};
      THERIAC_ASSIGN(const auto of, trace::allocation(work, allocation));
      THERIAC_ASSIGN(const auto serials, trace::numbers_of(work, of));
      for (const auto& serial : serials) {
        all.push_back(trace::Identity{{}, product_, "09506000134352", serial}.link());
      }
      return {};
    }));
    return all;
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("theriac-api-" + std::to_string(::getpid()) + "-" + test_name());
  store::EngineOptions engine_;
  ManualClock clock_{1'795'000'000'000};
  crypto::SystemRandom random_;
  NullLog log_;
  RememberingLog trail_;
  trace::testing_support::SwitchedKeys keys_{trace::testing_support::fixed_ring()};
  pki::Authority authority_ = pki::Authority::create("test", clock_.wall_ms(), random_);
  Api api_{{.keys = &keys_,
            .trail = &trail_,
            .clock = &clock_,
            .random = &random_,
            .log = &log_,
            .tenant = "demo",
            .authority = &authority_.certificate()}};
  std::int64_t product_ = 0, partner_ = 0, plant_ = 0, shop_ = 0, lot_ = 0, pool_ = 0;

 private:
  static Reply reply_of(const http::Response& response) {
    Reply reply{.status = response.status, .type = {}, .text = {}, .json = nullptr};
    for (const auto& field : response.fields) {
      if (field.name == "Content-Type") reply.type = field.value;
      reply.fields.emplace(field.name, field.value);
    }
    reply.text = text_of(std::get<Bytes>(response.body));
    if (const auto json = codec::parse_json(reply.text)) reply.json = *json;
    return reply;
  }
  std::map<std::string, Person> people_;
  int keys_made_ = 0;
};

}  // namespace theriac::api
