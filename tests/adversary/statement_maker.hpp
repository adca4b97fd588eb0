// Random statements over the tables of schema.sql in which every value addressed to a protected
// column is a canary, and no canary is addressed to anything else. A shape is made once and filled
// many times, with other values, as literals or as parameters. Used by tests only.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "canaries.hpp"

namespace theriac::adversary {

enum class Type : std::uint8_t {
  kPerson,  ///< text, domain person
  kWord,    ///< text of one column
  kLong,    ///< text that cannot be searched
  kCard,    ///< varchar of digits
  kUuid,
  kBigint,
  kShare,  ///< numeric
  kMoney,  ///< numeric(14,2): too short to be a canary
  kBytes,
  kBool,
  kDay,
  kAt,
  kSpan,
  kJsonb,
  kWords,   ///< text[]
  kHalf,    ///< float8
  kAge,     ///< int
  kEnding,  ///< the last four digits of a card
  kLower,   ///< lower() of a word
  kPlainText,
  kPlainInt
};

struct Column {
  std::string name;
  Type type;
  bool searchable = true;
  [[nodiscard]] bool is_protected() const {
    return type != Type::kPlainText && type != Type::kPlainInt;
  }
};
struct Table {
  std::string name;
  std::vector<Column> columns;  ///< the first is the key
};
const std::vector<Table>& tables();

/// A statement with places for values.
struct Shape {
  std::string text;  ///< each place is \x01, its number as a character from '0', \x02
  std::vector<Type> slots;
  bool writes = false;
  bool ordered = false;
  bool limited = false;  ///< which rows come is not certain
};

struct Filled {
  std::string sql;
  std::vector<std::optional<std::string>> values;  ///< of $1, $2, ...
  std::vector<Type> types;                         ///< of the same
};

class StatementMaker {
 public:
  StatementMaker(const Canaries& canaries, std::uint64_t seed)
      : canaries_(canaries), engine_(seed) {}

  Shape make();
  /// Other values each time. `parameters`: of a hundred places, how many become parameters.
  Filled fill(const Shape& shape, std::size_t parameters);
  /// Another value for a parameter.
  std::optional<std::string> another(const Filled& filled, std::size_t parameter) {
    if (chance(5)) return std::nullopt;
    return value(filled.types[parameter], pick(Canaries::kOfEach));
  }
  /// COPY FROM STDIN and its data.
  std::pair<std::string, std::string> copy();
  /// The rows that canaries meet in the tables.
  std::vector<std::string> rows();

 private:
  struct Source {
    std::string from;
    std::vector<std::pair<std::string, Column>> columns;  ///< how it is referred to
    std::string key;                                      ///< of the first table
  };
  std::size_t pick(std::size_t count) { return engine_() % count; }
  bool chance(std::size_t percent) { return pick(100) < percent; }
  std::string any(const std::vector<std::string>& list) { return list[pick(list.size())]; }

  std::string slot(Type type);
  std::string value(Type type, std::size_t number);
  std::string quoted(const std::string& value) const;
  const Table& table();
  Source source_of(const Table& table);
  Source from();
  const std::pair<std::string, Column>& column(const Source& source, bool searchable);
  std::optional<std::string> joinable(const Source& left, const Source& right);
  std::string predicate(const Source& source, int depth);
  std::string search(const std::string& reference, Type type);
  std::string condition(const Source& source, int depth);
  std::string output(const Source& source);
  std::string list(const Source& source, std::size_t most);
  Shape select();
  Shape grouped();
  Shape combined();
  Shape nested();
  Shape insert();
  Shape update();
  Shape remove();
  Shape writing_with();

  const Canaries& canaries_;
  std::mt19937_64 engine_;
  std::vector<Type> slots_;
  int aliases_ = 0;
};

}  // namespace theriac::adversary
