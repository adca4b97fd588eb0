// What the API does, and who may: operations.inc as values, and the OpenAPI 3.1 document.
//
// Threading: constants and free functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pki/identity.hpp"

namespace theriac::api {

enum class Kind : std::uint8_t { kPure, kRead, kExport, kWrite, kCheck, kCapture };

/// Roles as bits.
using Roles = std::uint8_t;
/// 0 for a role that is not a caller's.
Roles bit_of(pki::Role role);

struct Call;
struct Answer;
using Handler = Result<Answer> (*)(Call&);

struct Operation {
  std::string_view name, method, path;
  Kind kind;
  Roles roles;
  std::string_view body, reply;  ///< names of schemas
  std::string_view summary;
  Handler handler;
  /// The identifiers of many items may come in the body.
  [[nodiscard]] bool takes_lists() const {
    return body == "Act" || body == "ReturnNumbers" || body == "BringList" || body == "OpenRecall";
  }
  /// EPCIS documents, as JSON or XML.
  [[nodiscard]] bool takes_documents() const { return body == "epcis"; }
  [[nodiscard]] bool is_epcis() const { return path.starts_with("/epcis/"); }
  [[nodiscard]] bool has_id() const { return path.find("{id}") != std::string_view::npos; }
  [[nodiscard]] bool has_pages() const { return reply == "Page" && method == "GET"; }
};
std::span<const Operation> operations();

inline bool may(const Operation& operation, pki::Role role) {
  return (operation.roles & bit_of(role)) != 0;
}

/// OpenAPI 3.1, canonical JSON.
const std::string& openapi_document();
/// The components' schemas: a JSON object (openapi_schemas.cpp).
std::string_view openapi_schemas();

}  // namespace theriac::api
