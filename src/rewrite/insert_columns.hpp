// What insert.cpp and insert_select.cpp know of an INSERT's columns.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {

inline void add_name(Nodes& list, std::string_view name) {
  list.Add()->mutable_res_target()->set_name(std::string(name));
}

/// Which columns the statement gives values for, and what has to be added.
struct Rewriter::InsertColumns {
  std::vector<const Column*> given;
  std::vector<const Column*> defaulted;  ///< protected, not given, with a default
  bool listed = false;

  [[nodiscard]] bool any_protected() const {
    return std::any_of(given.begin(), given.end(),
                       [](const Column* one) { return one->protection.has_value(); });
  }
  /// The rewritten column list.
  void names(const Relation& relation, Nodes& out) const {
    for (const auto* list : {&given, &defaulted}) {
      for (const auto* column : *list) {
        if (!column->protection) {
          add_name(out, column->name);
          continue;
        }
        add_name(out, column->protection->sealed_name());
        for (const int index : column->protection->indexes()) {
          add_name(out, column->protection->index_name(index));
        }
      }
    }
    if (relation.bound) add_name(out, "theriac_row");
  }
};

}  // namespace theriac::rewrite
