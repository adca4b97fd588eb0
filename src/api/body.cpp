#include "api/body.hpp"

#include "codec/time.hpp"

namespace theriac::api {
namespace {

tl::unexpected<Error> malformed(const char* name) { return fail(Code::kMalformed, name); }

}  // namespace

const codec::Json* Body::find(const char* name) {
  if (!json_->is_object()) return nullptr;
  const auto found = json_->find(name);
  if (found == json_->end()) return nullptr;
  ++known_;
  return &*found;
}

Result<std::string> Body::text(const char* name) {
  const auto* value = find(name);
  if (value == nullptr || !value->is_string()) return malformed(name);
  return value->get<std::string>();
}

Result<std::string> Body::text_or(const char* name, std::string_view otherwise) {
  const auto* value = find(name);
  if (value == nullptr) return std::string(otherwise);
  if (!value->is_string()) return malformed(name);
  return value->get<std::string>();
}

Result<std::int64_t> Body::integer(const char* name) {
  const auto* value = find(name);
  if (value == nullptr || !value->is_number_integer()) return malformed(name);
  return value->get<std::int64_t>();
}

Result<std::int64_t> Body::integer_or(const char* name, std::int64_t otherwise) {
  const auto* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_number_integer()) return malformed(name);
  return value->get<std::int64_t>();
}

Result<double> Body::number_or(const char* name, double otherwise) {
  const auto* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) return malformed(name);
  return value->get<double>();
}

Result<bool> Body::flag_or(const char* name, bool otherwise) {
  const auto* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) return malformed(name);
  return value->get<bool>();
}

Result<std::vector<std::string>> Body::texts(const char* name) {
  const auto* value = find(name);
  if (value == nullptr || !value->is_array()) return malformed(name);
  std::vector<std::string> all;
  all.reserve(value->size());
  for (const auto& one : *value) {
    if (!one.is_string()) return malformed(name);
    all.push_back(one.get<std::string>());
  }
  return all;
}

Result<std::vector<std::string>> Body::texts_or_none(const char* name) {
  if (!json_->is_object() || !json_->contains(name)) return std::vector<std::string>{};
  return texts(name);
}

Result<std::vector<std::int64_t>> Body::integers_or_none(const char* name) {
  const auto* value = find(name);
  std::vector<std::int64_t> all;
  if (value == nullptr) return all;
  if (!value->is_array()) return malformed(name);
  for (const auto& one : *value) {
    if (!one.is_number_integer()) return malformed(name);
    all.push_back(one.get<std::int64_t>());
  }
  return all;
}

Result<codec::Json> Body::member(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return malformed(name);
  return *value;
}

Result<std::map<std::string, std::string>> Body::texts_by_name(const char* name) {
  THERIAC_ASSIGN(const auto* object, object_or_none(name));
  std::map<std::string, std::string> all;
  if (object == nullptr) return all;
  for (const auto& [field, text] : object->items()) {
    if (!text.is_string()) return malformed(name);
    all.emplace(field, text.get<std::string>());
  }
  return all;
}

Result<const codec::Json*> Body::object_or_none(const char* name) {
  const auto* value = find(name);
  if (value != nullptr && !value->is_object()) return malformed(name);
  return value;
}

Result<std::optional<std::int64_t>> Body::integer_or_none(const char* name) {
  if (!json_->is_object() || !json_->contains(name)) return std::nullopt;
  THERIAC_ASSIGN(const auto value, integer(name));
  return value;
}

Result<std::optional<std::int64_t>> Body::time_or_none(const char* name) {
  THERIAC_ASSIGN(const auto text, text_or(name, ""));
  if (text.empty()) return std::nullopt;
  const auto ms = codec::parse_rfc3339(text);
  if (!ms) return malformed(name);
  return *ms;
}

Result<std::int64_t> Body::time_or(const char* name, std::int64_t otherwise) {
  THERIAC_ASSIGN(const auto text, text_or(name, ""));
  if (text.empty()) return otherwise;
  const auto ms = codec::parse_rfc3339(text);
  if (!ms) return malformed(name);
  return *ms;
}

Status Body::end() const {
  if (!json_->is_object()) return malformed("an object is wanted");
  if (json_->size() != known_) return malformed("a member that is not known");
  return {};
}

}  // namespace theriac::api
