// What merge.cpp and merge_gather.cpp know of a MERGE.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {

enum class MergeWhat : std::uint8_t {
  kNull,
  kKeep,      ///< UPDATE: the column's own value
  kConstant,  ///< a literal, parameter or default
  kGathered,  ///< `value`, of the source's columns
};

/// What a branch gives a protected column.
struct Rewriter::MergeValue {
  const Column* column = nullptr;
  MergeWhat what = MergeWhat::kNull;
  ValueSource constant;
  pg::Node value;
  std::optional<ItemColumn> sealed;  ///< kGathered: it is a protected value
  [[nodiscard]] bool gives() const {
    return what == MergeWhat::kConstant || what == MergeWhat::kGathered;
  }
};

struct Rewriter::MergeBranch {
  pg::MergeWhenClause* clause = nullptr;
  std::vector<const Column*> columns;  ///< written, as listed; empty: the target is unprotected
  std::deque<MergeValue> values;       ///< of protected columns, in order
  bool renews_identity = false;        ///< the row written gets a new theriac_row
};

struct Rewriter::Merging {
  Item* target = nullptr;
  Item* source = nullptr;
  Level* matched = nullptr;    ///< names of target and source
  Level* unmatched = nullptr;  ///< of the source alone
  std::deque<MergeBranch> branches;
  bool by_key = false;  ///< a row of the source meets one row of the target at most
};

/// The source of the second step: arrays under the source's name.
struct Rewriter::MergedSource {
  std::string name;
  std::vector<std::string> columns;
  /// For each value given: helper columns, and where what they get stands in `columns`.
  std::map<const MergeValue*, std::vector<std::pair<std::string, std::size_t>>> values;
  std::size_t identity = 0;

  [[nodiscard]] pg::Node column(std::size_t place) const {
    pg::Node out;
    make_column(out, {name, columns[place]});
    return out;
  }
};

}  // namespace theriac::rewrite
