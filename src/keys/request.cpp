#include "keys/request.hpp"

#include <algorithm>
#include <set>

#include "keys/limits.hpp"
#include "pki/frame.hpp"
#include "pki/identity.hpp"

namespace theriac::keys {
namespace {

constexpr std::size_t kTokenTextMax = 128;
constexpr std::size_t kNonceTextBytes = 32;

tl::unexpected<Error> bad(std::string field) { return fail(Code::kProtocol, std::move(field)); }

/// Takes fields out of an object; done() refuses what nobody took.
class Fields {
 public:
  explicit Fields(codec::Json json) : json_(std::move(json)) {}

  /// `name` as text of at most `max` bytes; nullopt when it is absent.
  std::optional<std::string> optional_text(const char* name, std::size_t max) {
    const auto found = json_.find(name);
    if (found == json_.end()) return std::nullopt;
    if (!found->is_string() || found->get_ref<const std::string&>().size() > max) {
      note(name);
      return std::nullopt;
    }
    auto text = found->get<std::string>();
    json_.erase(found);
    return text;
  }
  std::string text(const char* name, std::size_t max) {
    auto found = optional_text(name, max);
    if (!found) note(name);
    return found.value_or("");
  }
  std::string valid_name(const char* name) {
    auto value = text(name, kReasonBytesMax);
    if (!pki::is_valid_name(value)) note(name);
    return value;
  }
  std::string reason() {
    auto value = optional_text("reason", kReasonBytesMax).value_or("");
    const bool control = std::any_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (control) note("reason");
    return value;
  }
  /// Only there to make two requests differ; the whole request is compared by its hash.
  void hexadecimal(const char* name) {
    const auto value = text(name, kNonceTextBytes);
    if (value.size() != kNonceTextBytes || !from_hex(value)) note(name);
  }
  std::int64_t number(const char* name, std::int64_t least, std::int64_t most) {
    const auto found = json_.find(name);
    if (found == json_.end() || !found->is_number_integer()) {
      note(name);
      return least;
    }
    const auto value = found->get<std::int64_t>();
    json_.erase(found);
    if (value < least || value > most) note(name);
    return value;
  }
  codec::Json take(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    auto value = std::move(*found);
    json_.erase(found);
    return value;
  }
  void note(const char* name) {
    if (wrong_.empty()) wrong_ = name;
  }
  [[nodiscard]] Status done() const {
    if (!wrong_.empty()) return bad(wrong_);
    if (!json_.empty()) return bad("unknown field");
    return {};
  }

 private:
  codec::Json json_;
  std::string wrong_;
};

seal::Suite suite_of(Fields& fields, std::int64_t number) {
  if (number != 1 && number != 2) fields.note("suite");
  return static_cast<seal::Suite>(number);
}

LeaseAsk lease_ask(Fields& fields, bool renewal) {
  LeaseAsk ask;
  fields.hexadecimal("boot");
  fields.hexadecimal("nonce");
  ask.tenant = fields.valid_name("tenant");
  const auto classes = fields.take("classes");
  if (!classes.is_array() || classes.empty() || classes.size() > kClassesPerRequestMax) {
    fields.note("classes");
    return ask;
  }
  for (const auto& name : classes) {
    if (!name.is_string() || !pki::is_valid_name(name.get_ref<const std::string&>())) {
      fields.note("classes");
      return ask;
    }
    ask.classes.push_back(name.get<std::string>());
  }
  if (std::set(ask.classes.begin(), ask.classes.end()).size() != ask.classes.size()) {
    fields.note("classes");
  }
  if (const auto suites = fields.take("suites"); suites.is_object()) {
    for (const auto& [name, suite] : suites.items()) {
      const bool asked =
          std::find(ask.classes.begin(), ask.classes.end(), name) != ask.classes.end();
      if (!asked || !suite.is_number_integer()) {
        fields.note("suites");
        break;
      }
      ask.suites[name] = suite_of(fields, suite.get<std::int64_t>());
    }
  } else if (!suites.is_null()) {
    fields.note("suites");
  }
  if (renewal) ask.token = fields.text("token", kTokenTextMax);
  return ask;
}

Result<Request> request_of(std::string_view op, Fields& fields) {
  if (op == "hello") return Hello{};
  if (op == "lease") return lease_ask(fields, false);
  if (op == "renew") return lease_ask(fields, true);
  if (op == "release") return ReleaseAsk{fields.text("token", kTokenTextMax)};
  if (op == "renew_certificate") return CertificateAsk{fields.text("csr", 8192)};
  if (op == "list") return ListAsk{};
  if (op == "status") return StatusAsk{};
  if (op == "create_class") {
    auto name = fields.valid_name("class");
    const auto suite = suite_of(fields, fields.number("suite", 1, 2));
    return CreateClassAsk{std::move(name), suite, fields.reason()};
  }
  if (op == "rotate") return RotateAsk{fields.valid_name("class"), fields.reason()};
  if (op == "revoke" || op == "restore") {
    return RevokeAsk{fields.valid_name("class"), op == "restore", fields.reason()};
  }
  if (op == "revoke_tenant" || op == "restore_tenant") {
    return RevokeAsk{"", op == "restore_tenant", fields.reason()};
  }
  if (op == "clear_fence") return ClearFenceAsk{fields.valid_name("name"), fields.reason()};
  if (op == "revoke_certificate") {
    return RevokeCertificateAsk{fields.valid_name("subject"), fields.reason()};
  }
  return bad("op");
}

}  // namespace

Result<Request> parse_request(ByteView payload) {
  THERIAC_ASSIGN(auto json, pki::parse_frame(payload));
  Fields fields(std::move(json));
  fields.number("v", kProtocolVersion, kProtocolVersion);
  const auto op = fields.text("op", 32);
  THERIAC_ASSIGN(auto request, request_of(op, fields));
  THERIAC_TRY(fields.done());
  return request;
}

}  // namespace theriac::keys
