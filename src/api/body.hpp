// Reads the members of a JSON body, strictly: each once, of its type, none that is not known.
//
// Errors: Code::kMalformed with the member's name, which is ours; of an unknown member only that
// there is one, since its name is the caller's.
// Threading: an object belongs to its call.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"

namespace theriac::api {

class Body {
 public:
  /// `json` must outlive it.
  explicit Body(const codec::Json& json) : json_(&json) {}

  // Those without `_or` must be there.
  Result<std::string> text(const char* name);
  Result<std::string> text_or(const char* name, std::string_view otherwise);
  Result<std::int64_t> integer(const char* name);
  Result<std::int64_t> integer_or(const char* name, std::int64_t otherwise);
  Result<double> number_or(const char* name, double otherwise);
  Result<bool> flag_or(const char* name, bool otherwise);
  Result<std::vector<std::string>> texts(const char* name);
  Result<std::vector<std::string>> texts_or_none(const char* name);
  Result<std::vector<std::int64_t>> integers_or_none(const char* name);
  /// What its reader takes apart itself.
  Result<codec::Json> member(const char* name);
  /// An object of texts; none: empty.
  Result<std::map<std::string, std::string>> texts_by_name(const char* name);
  /// An object, to be read by a Body of its own; nullptr: there is none.
  Result<const codec::Json*> object_or_none(const char* name);
  Result<std::optional<std::int64_t>> time_or_none(const char* name);
  Result<std::optional<std::int64_t>> integer_or_none(const char* name);
  /// RFC 3339, in milliseconds.
  Result<std::int64_t> time_or(const char* name, std::int64_t otherwise);
  /// Call it last: nothing else may be there.
  Status end() const;

 private:
  const codec::Json* find(const char* name);
  const codec::Json* json_;
  std::size_t known_ = 0;  ///< members that were asked for and are there
};

}  // namespace theriac::api
