#include "api/operations.hpp"

#include "api/handlers.hpp"
#include "codec/json.hpp"

namespace theriac::api {
namespace {

using codec::Json;

constexpr Roles A = 1, O = 2, Q = 4, L = 8, P = 16, V = 32;

constexpr std::array kOperations{
#define THERIAC_OPERATION(name, method, path, kind, roles, body, reply, summary) \
  Operation{#name, method, path, Kind::kind, roles, body, reply, summary, &name},
#include "api/operations.inc"
#undef THERIAC_OPERATION
};

Json reference(std::string_view schema) {
  return {{"$ref", "#/components/schemas/" + std::string(schema)}};
}
Json content(std::string_view type, Json schema) {
  return {{std::string(type), {{"schema", std::move(schema)}}}};
}

Json reply_of(const Operation& operation) {
  Json reply{{"description", "done"}};
  const Json file{{"type", "string"}, {"format", "binary"}};
  if (operation.reply == "cms") {
    reply["content"] = content("application/pkcs7-mime", file);
  } else if (operation.reply == "page") {
    reply["content"] = content("text/html", {{"type", "string"}});
  } else if (operation.reply == "document") {
    reply["content"] = content("application/octet-stream", file);
  } else if (operation.reply == "label") {
    for (const auto* type : {"image/svg+xml", "image/png", "application/pdf", "application/zpl"}) {
      reply["content"][type] = {{"schema", file}};
    }
  } else if (operation.reply == "epcis") {
    for (const auto* type : {"application/json", "application/xml"}) {
      reply["content"][type] = {{"schema", Json::object()}};
    }
  } else if (operation.reply != "nothing") {
    reply["content"] = content("application/json", reference(operation.reply));
  }
  return reply;
}

Json parameters_of(const Operation& operation) {
  auto all = Json::array();
  const auto add = [&all](std::string_view name, std::string_view in, bool required, Json schema) {
    all.push_back({{"name", name}, {"in", in}, {"required", required}, {"schema", schema}});
  };
  if (operation.has_id()) add("id", "path", true, {{"type", "integer"}, {"minimum", 1}});
  if (operation.path.find("{value}") != std::string_view::npos) {
    add("value", "path", true, {{"type", "string"}});
  }
  if (operation.path.find("{uid}") != std::string_view::npos) {
    add("uid", "path", true, {{"type", "string"}, {"format", "uuid"}});
  }
  if (operation.has_pages()) {
    add("cursor", "query", false, {{"type", "string"}});
    add("limit", "query", false, {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}});
  }
  if (operation.name == "list_work") {
    add("kind", "query", false, {{"type", "string"}});
    add("state", "query", false, {{"enum", {"open", "closed", "all"}}});
    add("raised_until", "query", false, {{"type", "string"}, {"format", "date-time"}});
  } else if (operation.name == "list_devices") {
    for (const auto* name : {"product", "lot", "place"}) {
      add(name, "query", false, {{"type", "integer"}, {"minimum", 1}});
    }
    add("state", "query", false, {{"enum", {"placed", "in-use", "taken-out"}}});
    add("due_until", "query", false, {{"type", "string"}, {"format", "date-time"}});
  }
  if (operation.kind == Kind::kWrite) {
    add("Idempotency-Key", "header", true,
        {{"type", "string"}, {"minLength", 1}, {"maxLength", 128}});
  }
  return all;
}

Json describe_one(const Operation& operation) {
  constexpr std::array<std::pair<Roles, std::string_view>, 6> kNames{{{A, "trace-admin"},
                                                                      {O, "trace-operator"},
                                                                      {Q, "trace-quality"},
                                                                      {L, "trace-line"},
                                                                      {P, "trace-partner"},
                                                                      {V, "trace-viewer"}}};
  auto roles = Json::array();
  for (const auto& [bit, name] : kNames) {
    if ((operation.roles & bit) != 0) roles.push_back(name);
  }
  Json one{{"operationId", operation.name},
           {"summary", operation.summary},
           {"x-theriac-roles", roles},
           {"parameters", parameters_of(operation)},
           {"responses",
            {{"200", reply_of(operation)},
             {"default",
              {{"description", "a problem (RFC 9457)"},
               {"content", content("application/problem+json", reference("Problem"))}}}}}};
  if (operation.takes_documents()) {
    Json types;
    for (const auto* type : {"application/json", "application/ld+json", "application/xml"}) {
      types[type] = {{"schema", Json::object()}};
    }
    one["requestBody"] = {{"required", true}, {"content", types}};
  } else if (!operation.body.empty()) {
    one["requestBody"] = {{"required", true},
                          {"content", content("application/json", reference(operation.body))}};
  }
  return one;
}

std::string make_document() {
  Json paths = Json::object();
  for (const auto& operation : kOperations) {
    std::string method(operation.method);
    for (auto& c : method) c = static_cast<char>(c | 0x20);
    paths[std::string(operation.path)][method] = describe_one(operation);
  }
  const Json document{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Theriac serialization and track & trace"},
        {"version", "1"},
        {"description",
         "Every caller shows a certificate of the internal authority; its role decides what it "
         "may do (x-theriac-roles). Writes carry an Idempotency-Key."}}},
      {"security", Json::array({{{"certificate", Json::array()}}})},
      {"paths", paths},
      {"components",
       {{"securitySchemes", {{"certificate", {{"type", "mutualTLS"}}}}},
        {"schemas", Json::parse(openapi_schemas())}}}};
  return codec::canonical_json(document);
}

}  // namespace

Roles bit_of(pki::Role role) {
  switch (role) {
    case pki::Role::kTraceAdmin:
      return A;
    case pki::Role::kTraceOperator:
      return O;
    case pki::Role::kTraceQuality:
      return Q;
    case pki::Role::kTraceLine:
      return L;
    case pki::Role::kTracePartner:
      return P;
    case pki::Role::kTraceViewer:
      return V;
    default:
      return 0;
  }
}

std::span<const Operation> operations() { return kOperations; }

const std::string& openapi_document() {
  static const std::string kDocument = make_document();
  return kDocument;
}

}  // namespace theriac::api
