// The syntax tree of PostgreSQL 15's own grammar (libpg-query): from text, back to text, and the
// few operations on it that the analysis is made of.
//
// Trees are owned by a protobuf arena; pointers into a tree stay valid while nodes are edited in
// place, appended, or swapped. Thread-safe (the parser library's memory is thread-local).
#pragma once

#include <google/protobuf/arena.h>
#include <pg_query.pb.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac::rewrite {

namespace pg = ::pg_query;
using Message = google::protobuf::Message;
template <typename T>
using Repeated = google::protobuf::RepeatedPtrField<T>;
using Nodes = Repeated<pg::Node>;

/// Code::kSyntax with "position N" (1-based, in characters, as PostgreSQL's error field P), or
/// Code::kTooLarge. `out` must live on an arena.
Status parse(std::string_view sql, pg::ParseResult& out);
/// The text of one statement. Only for SELECT, INSERT, UPDATE, DELETE, and DECLARE and EXPLAIN of
/// those: the library's deparser silently drops clauses of DDL. The text is parsed again and
/// compared with `statement`; nullopt if they differ. `again` receives the tree of the text.
std::optional<std::string> deparse(const pg::Node& statement, pg::ParseResult& again);

/// Sets every location in the tree to zero, so that trees of different texts compare.
void forget_locations(Message& message);

/// The message inside a node, or nullptr for an empty node.
Message* inside(pg::Node& node);
const Message* inside(const pg::Node& node);

/// Calls `visit` for the nodes directly under `message` (through messages that are not nodes)
/// until it returns false; returns false then.
template <typename Visit>
bool each_child(Message& message, Visit&& visit) {
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      Message* child = field->is_repeated() ? reflection->MutableRepeatedMessage(&message, field, i)
                                            : reflection->MutableMessage(&message, field);
      if (auto* node = dynamic_cast<pg::Node*>(child)) {
        if (!visit(*node)) return false;
      } else if (!each_child(*child, visit)) {
        return false;
      }
    }
  }
  return true;
}

/// Calls `visit` for every message of type T in the tree, `message` included.
template <typename T, typename Visit>
void each_of(const Message& message, const Visit& visit) {
  if (const auto* found = dynamic_cast<const T*>(&message)) visit(*found);
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      each_of<T>(reflection->GetMessage(message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      each_of<T>(reflection->GetRepeatedMessage(message, field, i), visit);
    }
  }
}

/// Depth of the deepest node under `message`.
int depth_of(const Message& message);
/// Highest $n in the tree; 0 if none.
std::uint16_t highest_parameter(const Message& message);

/// The string of a String node; empty for others.
std::string_view string_of(const pg::Node& node);
/// The last string of a name list ("pg_catalog.text" gives "text").
std::string_view last_name(const Nodes& names);
/// A one-word operator, or the same as OPERATOR(pg_catalog.op); empty for another schema.
std::string_view operator_of(const Nodes& names);
/// True for a column reference or target that is `*` or ends in `.*`.
bool is_star(const pg::ColumnRef& reference);
/// True for the NULL literal.
bool is_null(const pg::Node& node);

/// The name PostgreSQL gives an output column without AS (FigureColname of parse_target.c).
std::string column_name_of(const pg::Node& expression);

// Builders. Each overwrites `out`.
void make_string(pg::Node& out, std::string_view text);
void make_column(pg::Node& out, std::initializer_list<std::string_view> names);
void make_parameter(pg::Node& out, int number);
void make_null(pg::Node& out);
void make_true(pg::Node& out);
/// Swaps the operands in.
void make_operator(pg::Node& out, pg::A_Expr_Kind kind, std::string_view name, pg::Node& left,
                   pg::Node& right);
/// `expression::pg_catalog.type` (or `type[]`).
void make_cast(pg::Node& out, pg::Node& expression, std::string_view type, bool array);

}  // namespace theriac::rewrite
