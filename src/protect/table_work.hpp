// What sealing and opening a table have in common: session, locks, sweeps over blocks, arrays.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protect/migrate.hpp"
#include "protect/registry.hpp"

namespace theriac::protect {

/// Settings under which values print in stored form, no trigger or rule fires, and no statement of
/// ours is logged with values. Refuses anyone but a superuser, and a second run at the same time.
Status prepare_session(store::PgConnection& database);

/// Code::kInterrupted if the work is no longer wanted. Called between any two steps.
Status still_wanted(const Services& services);

/// LOCK TABLE … ACCESS EXCLUSIVE, waiting at most kLockTimeoutMs (Code::kBusy).
Status lock_table(store::PgConnection& database, const std::string& table_sql);

/// Calls `step` for consecutive ranges of blocks that hold about kBatchRows rows each. Rows that an
/// update moves behind the end are not visited: they are done.
struct BlockRange {
  std::string first, end;  ///< tid literals: ctid >= first AND ctid < end
};
Status sweep(store::PgConnection& database, const std::string& table_sql, std::int64_t rows,
             const std::function<Status(const BlockRange&)>& step);
Result<std::int64_t> count_rows(store::PgConnection& database, const std::string& table_sql,
                                const std::string& condition);

/// PostgreSQL's binary form of a one-dimensional array of variable-length elements.
class ArrayParameter {
 public:
  explicit ArrayParameter(std::uint32_t element_oid) : element_oid_(element_oid) {}
  void add(ByteView value);
  void add_null();
  [[nodiscard]] Bytes binary() const;

 private:
  std::uint32_t element_oid_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  Bytes elements_;
};

/// bytea in PostgreSQL's hex text form.
Result<Bytes> bytea_of(std::string_view text);
/// theriac_row of a result; NULL is nullopt.
/// `count` bytea values of one row; NULL is missing.
Result<std::vector<Bytes>> indexes_at(const store::PgResult& rows, std::size_t row,
                                      std::size_t first, std::size_t count);
Result<std::optional<RowId>> row_of(std::optional<std::string_view> text);

/// Durable entry; the act may follow.
Status audit_entry(const Services& services, std::string_view action, const std::string& object,
                   codec::Json details, std::string_view policy_hash = {},
                   std::string_view key_version = {});

/// The registered columns of one table.
std::vector<RegisteredColumn> columns_of(const std::vector<RegisteredColumn>& all,
                                         std::uint32_t relation);

/// Reads every row of the table and compares plain and opened value of `columns`; the number of
/// rows. Code::kMismatch naming the column. In the caller's transaction, under his lock.
class ValueCipher;
Result<std::int64_t> compare_all(const Services& services, const std::string& table_sql,
                                 const std::vector<RegisteredColumn>& columns, ValueCipher& cipher,
                                 std::int64_t rows, std::string_view stage);

/// What stands on a table, so that two moments can be compared.
Result<std::string> rights_text(store::PgConnection& database, std::uint32_t relation);

/// theriac.tables.original
Result<codec::Json> read_original(store::PgConnection& database, std::uint32_t relation);
Status write_original(store::PgConnection& database, std::uint32_t relation,
                      const codec::Json& original);

}  // namespace theriac::protect
