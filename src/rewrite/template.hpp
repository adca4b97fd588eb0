// Rewritten texts with holes where the client's literals stand, so that a plan serves every text of
// one shape (literals.hpp). Used by analyse() only.
//
// Threading: one object serves one statement.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "rewrite/literals.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

class TemplateMaker {
 public:
  /// `statement` as parsed, before anything is edited.
  TemplateMaker(std::string_view sql, TextShape shape, const pg::Node& statement);

  /// False: some literal token is not exactly one constant of the tree.
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] std::size_t tokens() const { return shape_.tokens.size(); }
  /// The token of a constant at `location` of the client's text; nullopt: none, or ours.
  [[nodiscard]] std::optional<int> token_at(int location) const;
  /// The token's value with its sign.
  [[nodiscard]] std::string value(int token) const;
  [[nodiscard]] const std::set<int>& negative() const { return negative_; }
  /// Texts of this plan must have the same value there.
  void fix(int token) { fixed_.insert(token); }
  void note_used(int token) { used_.insert(token); }

  /// The text of `edited` with a hole for each literal; nullopt if that cannot be made. What it
  /// gives with the literals of the text at hand parses as `edited`.
  std::optional<SqlTemplate> holes(const pg::Node& edited);
  /// After all texts: the tokens a text must have as they are here.
  [[nodiscard]] std::map<int, std::string> fixed() const;

 private:
  /// `text` taken apart at the marks.
  [[nodiscard]] SqlTemplate cut(const std::string& text,
                                const std::map<std::string, int>& marks) const;
  void fix_positions(const pg::Node& tree);

  std::string_view sql_;
  TextShape shape_;
  bool usable_ = false;
  std::map<int, int> token_at_;
  std::set<int> negative_, fixed_, used_;
};

}  // namespace theriac::rewrite
