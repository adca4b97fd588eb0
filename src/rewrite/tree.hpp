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
#include <vector>

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
/// The statement of a text of our own: its literals are at no place of the client's text. Empty if
/// the text is not one statement.
pg::Node parsed_own(std::string_view sql);
/// The text of one statement. Only for SELECT, INSERT, UPDATE, DELETE, and DECLARE and EXPLAIN of
/// those: the library's deparser silently drops clauses of DDL. The text is parsed again and
/// compared with `statement`; nullopt if they differ. `again` receives the tree of the text.
std::optional<std::string> deparse(const pg::Node& statement, pg::ParseResult& again);

/// The text alone, not looked at again.
std::optional<std::string> write_out(const pg::Node& statement);

/// True if the trees are the same but for the places (`location`) they had in their texts.
bool same_tree(const Message& left, const Message& right);

/// The message inside a node, or nullptr for an empty node.
Message* inside(pg::Node& node);
const Message* inside(const pg::Node& node);

using FieldDescriptor = google::protobuf::FieldDescriptor;

/// What is known of a message type once and for all: asking a message for its descriptor costs more
/// than looking at its fields.
struct Shape {
  struct Field {
    const FieldDescriptor* field = nullptr;
    const Shape* shape = nullptr;
    bool repeated = false;
  };
  const google::protobuf::Descriptor* type = nullptr;
  const google::protobuf::Reflection* reflection = nullptr;
  bool is_node = false;
  std::vector<Field> messages;  ///< fields that hold messages; of a node: by field number
  std::vector<const FieldDescriptor*> scalars;  ///< the others, without `location`
};
const Shape& shape_of(const google::protobuf::Descriptor* type);
inline const Shape& shape_of(const Message& message) { return shape_of(message.GetDescriptor()); }

/// Calls `visit(child, its shape, field)` for each message directly under `message`; for the
/// content of a node the field is the node's.
template <typename Visit>
void each_message(const Message& message, const Shape& shape, const Visit& visit) {
  const auto& reflection = *shape.reflection;
  if (shape.is_node) {
    const auto number = static_cast<std::size_t>(static_cast<const pg::Node&>(message).node_case());
    if (number == 0) return;
    const auto& content = shape.messages[number];
    visit(reflection.GetMessage(message, content.field), *content.shape, content.field);
    return;
  }
  for (const auto& one : shape.messages) {
    if (!one.repeated) {
      if (reflection.HasField(message, one.field)) {
        visit(reflection.GetMessage(message, one.field), *one.shape, one.field);
      }
      continue;
    }
    const int count = reflection.FieldSize(message, one.field);
    for (int i = 0; i < count; ++i) {
      visit(reflection.GetRepeatedMessage(message, one.field, i), *one.shape, one.field);
    }
  }
}

/// Calls `visit` for the nodes directly under `message` (through messages that are not nodes)
/// until it returns false; returns false then. `message` is not a node itself.
template <typename Visit>
bool each_child(Message& message, const Shape& shape, Visit&& visit) {
  const auto& reflection = *shape.reflection;
  const auto enter = [&](Message& child, const Shape& its) {
    return its.is_node ? visit(static_cast<pg::Node&>(child)) : each_child(child, its, visit);
  };
  for (const auto& one : shape.messages) {
    if (!one.repeated) {
      if (reflection.HasField(message, one.field) &&
          !enter(*reflection.MutableMessage(&message, one.field), *one.shape)) {
        return false;
      }
      continue;
    }
    const int count = reflection.FieldSize(message, one.field);
    for (int i = 0; i < count; ++i) {
      if (!enter(*reflection.MutableRepeatedMessage(&message, one.field, i), *one.shape)) {
        return false;
      }
    }
  }
  return true;
}
template <typename Visit>
bool each_child(Message& message, Visit&& visit) {
  return each_child(message, shape_of(message), visit);
}

/// Calls `visit` for every message of the tree with its shape, `message` included.
template <typename Visit>
void walk(const Message& message, const Shape& shape, const Visit& visit) {
  visit(message, shape);
  each_message(message, shape, [&](const Message& child, const Shape& its, const FieldDescriptor*) {
    walk(child, its, visit);
  });
}

/// Calls `visit` for every message of type T in the tree, `message` included.
template <typename T, typename Visit>
void each_of(const Message& message, const Visit& visit) {
  const auto* wanted = &shape_of(T::descriptor());
  walk(message, shape_of(message), [&](const Message& one, const Shape& shape) {
    if (&shape == wanted) visit(static_cast<const T&>(one));
  });
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
/// A literal that is not NULL or a parameter, cast or not.
bool is_given_value(const pg::Node& node);

/// The name PostgreSQL gives an output column without AS (FigureColname of parse_target.c).
std::string column_name_of(const pg::Node& expression);

// Builders. Each overwrites `out`.
void make_string(pg::Node& out, std::string_view text);
void make_column(pg::Node& out, std::initializer_list<std::string_view> names);
void make_parameter(pg::Node& out, int number);
void make_null(pg::Node& out);
void make_number(pg::Node& out, int value);
void make_true(pg::Node& out);
/// Swaps the operands in.
void make_operator(pg::Node& out, pg::A_Expr_Kind kind, std::string_view name, pg::Node& left,
                   pg::Node& right);
/// `expression::pg_catalog.type` (or `type[]`).
void make_cast(pg::Node& out, pg::Node& expression, std::string_view type, bool array);

}  // namespace theriac::rewrite
