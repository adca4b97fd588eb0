// SimpleEventQuery: EPCIS 2.0 section 8.2.7.1 and the families of parameters in GS1's
// query-schema.json.
//
// A query is parsed once; `matches` decides one event. A store that keeps events sealed narrows by
// equality before that: an event has terms (terms.hpp), and `terms` tells what any matching event
// must have among them.
//
// Identifiers are compared as Digital Links, so that URN and link of one thing are equal; words
// bare; namespaces without their last "/", "#" or ":"; sensor values in SI units (units.hpp), equal
// within a relative 1e-9.
//
// Threading: a Query is immutable and may be shared; its callbacks run in the caller.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "epcis/document.hpp"
#include "epcis/terms.hpp"

namespace theriac::epcis {

/// As in an address: the values of one parameter, "a|b" already parted.
struct Parameter {
  std::string name;
  std::vector<std::string> values;
};
/// "a|b" as two values. An empty text is no value.
std::vector<std::string> split_values(std::string_view text);

enum class QueryFault : std::uint8_t {
  kUnknownParameter,  ///< EPCIS QueryParameterException, all but the last
  kUnknownPrefix,     ///< of an extension's name
  kBadValue,          ///< not of the parameter's type
  kRepeated,
  kContradiction,  ///< eventCountLimit with maxEventCount, orderDirection without orderBy
  kNotAQuery,      ///< the JSON is none
  kTooComplex      ///< beyond limits.hpp: QueryTooComplexException
};
struct QueryError {
  QueryFault fault;
  std::string parameter;  ///< the name as it was given: tell it to who asked, do not log it
  friend bool operator==(const QueryError&, const QueryError&) = default;
};

/// What master data tell. Either may be missing: then nothing has descendants or attributes.
struct MasterDataLookup {
  /// Direct and indirect children of a location, without itself.
  std::function<std::vector<std::string>(std::string_view id)> descendants;
  /// Values of an attribute of a vocabulary element; nothing if it has none of this name.
  std::function<std::vector<std::string>(std::string_view id, std::string_view attribute)>
      attributes;
};

class Query {
 public:
  /// `namespaces` are those that prefixes in names refer to, beside the standard's.
  static tl::expected<Query, QueryError> parse(std::span<const Parameter> parameters,
                                               const std::vector<Namespace>& namespaces = {});
  /// A query as it is posted: an object of parameters, with @context.
  static tl::expected<Query, QueryError> parse_json(std::string_view text,
                                                    const std::vector<Namespace>& namespaces = {});

  [[nodiscard]] bool matches(const Event& event, const MasterDataLookup& lookup = {}) const;
  /// Every event that matches has, for each of the lists, at least one of its terms. No lists: the
  /// query cannot be narrowed; an empty list: nothing matches.
  [[nodiscard]] std::vector<std::vector<Term>> terms(const MasterDataLookup& lookup = {}) const;

  /// Whether `a` stands before `b` in the result; false either way if the order does not tell.
  [[nodiscard]] bool before(const Event& a, const Event& b) const;
  [[nodiscard]] bool ordered() const { return order_ != nullptr; }

  // Of record and event time, for a store that is ordered by them; milliseconds since 1970, from
  // (inclusive) and to (exclusive).
  struct Span {
    std::optional<std::int64_t> from_ms;
    std::optional<std::int64_t> to_ms;
  };
  [[nodiscard]] const Span& event_time() const { return event_time_; }
  [[nodiscard]] const Span& record_time() const { return record_time_; }

  [[nodiscard]] std::optional<std::uint64_t> event_count_limit() const { return count_limit_; }
  [[nodiscard]] std::optional<std::uint64_t> max_event_count() const { return count_max_; }
  [[nodiscard]] std::optional<std::uint64_t> per_page() const { return per_page_; }
  [[nodiscard]] const std::string& next_page_token() const { return next_page_token_; }

  /// One parameter. For this library's own files.
  struct Condition {
    /// What it can be narrowed by: any of these; unset: it cannot.
    std::function<std::vector<Term>(const MasterDataLookup&)> terms;
    /// What it demands; unset: one of its terms.
    std::function<bool(const Event&, const MasterDataLookup&)> holds;
  };

 private:
  friend class QueryParser;

  std::vector<Condition> conditions_;
  using Order = std::function<bool(const Event&, const Event&)>;
  std::shared_ptr<const Order> order_;
  Span event_time_;
  Span record_time_;
  std::optional<std::uint64_t> count_limit_;
  std::optional<std::uint64_t> count_max_;
  std::optional<std::uint64_t> per_page_;
  std::string next_page_token_;
};

}  // namespace theriac::epcis
