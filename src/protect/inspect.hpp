// What a policy means on a real database: does everything it names exist, can it be protected, what
// stands in the way and what to do about it, and what each blind index would give away.
//
// Reads only. Threading: as store::PgConnection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "policy/policy.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

enum class Severity : std::uint8_t {
  kRefused,  ///< protection is not possible, or not safe, before this is dealt with
  kWarning,  ///< possible; a person should know
  kNote,     ///< what protection will do with it
};

struct Finding {
  Severity severity = Severity::kNote;
  std::string object;  ///< "public.customers.phone", "role warehouse", "database"
  std::string what;
  std::string remedy;
};

/// What the equality of one searchable column's values shows to whoever reads the database.
struct Leakage {
  std::string object;
  std::int64_t rows = 0;  ///< with a value
  std::int64_t distinct = 0;
  double top_share = 0;     ///< of the commonest value
  double entropy_bits = 0;  ///< Shannon
  bool low = false;         ///< values could be told apart by how often they stand there
  bool accepted = false;    ///< the policy says so
};

/// Something inside the database that reads or writes a column the policy names, and what becomes
/// of it.
struct Use {
  enum class Verdict : std::uint8_t {
    kKept,      ///< stays as it is
    kRemade,    ///< protection makes it again in its protected form, unprotect gives it back
    kRefused,   ///< protection does not begin before it is dealt with
    kLookAtIt,  ///< goes on, and nobody but a person can say whether rightly
  };
  std::string column;  ///< "public.customers.phone"; "database": whatever the column
  std::string kind;    ///< "view", "function", "index", ...
  std::string name;
  Verdict verdict = Verdict::kKept;
  std::string remedy;  ///< or what is done; may be empty
};
std::string_view verdict_name(Use::Verdict verdict);

struct Inspection {
  std::vector<Finding> findings;
  std::vector<Use> uses;  ///< by column; those of columns that are protected already are not there
  std::vector<Leakage> leakages;

  [[nodiscard]] bool refused() const;
  [[nodiscard]] codec::Json to_json() const;
};

/// `tables`: only these ("schema.table"), empty: all the policy names. Roles and the database are
/// always looked at. Columns that are protected already are only measured.
Result<Inspection> inspect(store::PgConnection& database, const policy::Policy& policy,
                           const std::vector<std::string>& tables = {});

/// The verdict on one distribution; the limits stand in limits.hpp.
bool is_low_entropy(const Leakage& leakage);

}  // namespace theriac::protect
