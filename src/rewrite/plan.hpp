// What is to be done with a statement: forward it as it is, send something else, or refuse it.
//
// analyse() takes the text of one Parse, or of one Query (which may hold several statements), and
// returns a plan for each statement. It is pure: no value is sealed here, no server is asked.
// Values addressed to protected columns become *slots*: the gateway fills each slot with bytes when
// the values are known (at Bind, or at once for literals), and no slot's clear value ever stands in
// the rewritten text.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pgwire/copy_format.hpp"
#include "pgwire/record.hpp"
#include "rewrite/catalogue.hpp"
#include "rewrite/literals.hpp"

namespace theriac::rewrite {

/// Session state that changes what a text means.
struct Context {
  std::vector<std::string> search_path{"public"};  ///< schemas in order, "$user" already resolved
  /// client_encoding if it is not UTF-8: what COPY's data are in. Texts here are UTF-8 always.
  std::string encoding{};
};

/// A column of the catalogue the plan was made with.
struct ColumnId {
  std::uint32_t relation_oid = 0;  ///< 0: none of the catalogue's, so no role may have it
  std::int16_t attribute = 0;
  bool operator==(const ColumnId&) const = default;
};

/// A refusal a person can act on (SQLSTATE 0A000 unless said otherwise).
struct Refusal {
  std::string sqlstate = "0A000";
  std::string column;     ///< "public.customers.name", or the relation, or empty
  std::string construct;  ///< fixed English text: "ORDER BY", "LIKE", "COPY FROM", ...
  std::string remedy;     ///< what the person can do instead
};

/// Where a slot's clear value comes from.
struct ClientParameter {
  std::uint16_t number = 1;  ///< the client's $n
  /// $n::type with the column's own type: a parameter declared as text is read as one. 0: no cast.
  std::uint32_t cast_oid = 0;
  bool operator==(const ClientParameter&) const = default;
};
struct Literal {
  bool is_null = false;
  std::string text;            ///< as PostgreSQL's type input function would get it
  std::uint32_t sent_oid = 0;  ///< type of an explicit or implied cast; 0: unknown literal
  int sent_length = -1;        ///< the cast's modifier: two that differ in it are two constants
  int location = 0;            ///< of the constant in the text; 0: it stands nowhere there
  int token = -1;              ///< its token, if other texts of the plan have another value there
  bool operator==(const Literal& other) const {
    return is_null == other.is_null && text == other.text && sent_oid == other.sent_oid &&
           sent_length == other.sent_length;
  }
};
using ValueSource = std::variant<ClientParameter, Literal>;

/// A text with holes for literals (literals.hpp): texts[0], token, texts[1], token, ...
struct SqlTemplate {
  std::vector<std::string> texts;
  std::vector<int> tokens;
};

/// The literals of one text that a plan made from another text of its shape serves. Holds clear
/// values, which are wiped.
struct TextLiterals {
  std::vector<std::string> raw;     ///< as they stand there
  std::vector<std::string> values;  ///< strings without quotes, numbers with their sign
  TextLiterals() = default;
  TextLiterals(const TextLiterals&) = delete;
  TextLiterals& operator=(const TextLiterals&) = delete;
  TextLiterals(TextLiterals&&) = default;
  TextLiterals& operator=(TextLiterals&&) = default;
  ~TextLiterals();
};

/// How one server parameter ($1 is slots[0]) of the rewritten statement is filled.
struct Slot {
  enum class Fill : std::uint8_t {
    kPass,     ///< the client's parameter, format and type as they came (source: ClientParameter)
    kSeal,     ///< sealed bytes of the value for (relation, attribute), bytea; NULL stays NULL
    kIndex,    ///< its blind index as stored with it (value converted by to_stored), bytea
    kCompare,  ///< blind index of a comparand (value converted by to_comparand), bytea
    kCompareList,  ///< blind indexes of an array's elements as comparands, bytea[]
    kRowId,        ///< the new row's random identity, uuid; one per `row`
    kShow,         ///< sealed bytes of a value that only comes out again, beside the column's own
                   ///< (COALESCE, UNION; converted by to_comparand, since no modifier applies)
    kShowRow,      ///< the same with a row identity of its own before it (Output::with_row_id)
  };
  Fill fill = Fill::kPass;
  ValueSource source = ClientParameter{};
  std::uint32_t relation_oid = 0;  ///< of the protected column, for all but kPass
  std::int16_t attribute = 0;      ///< the protected (plain) column's attribute number
  int row = 0;                     ///< INSERT: which row of all VALUES; slots of one share a row id
  int index = 0;  ///< kIndex, kCompare: which of Protection::indexes(); not 0: value is a text
  /// kCompare with `index`: what the statement applies to its constant: lower('X').
  pgwire::TextExpression applied{};
};

/// A result column that needs work, by position. Columns not listed pass untouched unless the
/// server's RowDescription says they are a helper column of a protected relation (provenance); then
/// they are opened by that. If both speak and disagree the gateway refuses.
struct Output {
  /// A column whose sealed values can come out here.
  struct Origin {
    std::uint32_t relation_oid = 0;
    std::int16_t attribute = 0;  ///< plain column's attribute number
    /// The relation is bound: the server returns theriac_row's 16 bytes, then the sealed bytes
    /// (`coalesce(pg_catalog.uuid_send(theriac_row), '\\x') || theriac_sealed_N`), so that the
    /// value is checked against its row. Such a column has no provenance in RowDescription.
    bool with_row_id = false;
  };
  std::size_t position = 0;  ///< 0-based
  /// Never empty. Several of UNION, COALESCE and the like: the value says by opening which it is.
  std::vector<Origin> origins;
  pgwire::ColumnType type;  ///< what the client is told
  /// Not empty: the column is a row (record), of which these fields are protected; `position` of
  /// each is its place in the row, `origins` above are all of theirs.
  std::vector<Output> fields;
  std::uint32_t row_of = 0;  ///< the relation whose row it is, which the client is told; 0: none
  /// The client is told the origin, too (table oid and attribute number of RowDescription).
  bool names_origin = false;
  /// Slots (indices into Statement::slots, kCompare) one of whose values this column must equal,
  /// because a conjunct of this query level found the row by them: the gateway checks it.
  std::vector<std::size_t> found_by;
};

enum class Action : std::uint8_t {
  kForward,  ///< untouched bytes
  kRewrite,  ///< send `sql` with `slots`
  kGather,   ///< read rows first, then `sql` with one sealed value for each; see Gather
  kPrepare,  ///< a PREPARE: plan PreparedUse::query by itself and prepare that under its name
  kRefuse,
};

/// A statement that gives a protected column a value in several rows, or one that is not a literal
/// or parameter, or rows whose identity is needed (bound): the gateway runs `sql`, seals one value
/// for each row and protected column, and runs Statement::sql, whose last parameters are arrays
/// joined through unnest, in the same transaction.
struct Gather {
  std::string sql;  ///< results in binary format
  std::optional<SqlTemplate> holes;
  std::vector<Slot> slots;

  struct Column {
    enum class Kind : std::uint8_t {
      kTid,      ///< the row's ctid
      kTable,    ///< its tableoid, where ctid alone is not enough
      kRowId,    ///< its theriac_row
      kValue,    ///< an unprotected value, in binary form
      kSealed,   ///< a protected value, to be opened as `output` says
      kOrdinal,  ///< Slot::row (int4): that row to insert takes the identity read beside it
    };
    Kind kind = Kind::kValue;
    Output output;
  };
  std::vector<Column> columns;

  /// One array parameter, an element for each row.
  struct Array {
    enum class Kind : std::uint8_t {
      kTid,
      kValue,  ///< the gathered value as it came; element type `element_oid`
      kRowId,  ///< new row identities
      kSeal,   ///< as Slot::Fill::kSeal
      kIndex,  ///< as Slot::Fill::kIndex
    };
    Kind kind = Kind::kTid;
    std::uint32_t element_oid = 0;
    std::uint32_t relation_oid = 0;  ///< kSeal, kIndex: the column written
    std::int16_t attribute = 0;
    int index = 0;  ///< kIndex: as Slot::index
    /// A constant, or the gathered column; its type is the written column's unless it is kSealed.
    std::variant<std::size_t, ValueSource> source;
  };
  std::vector<Array> arrays;
  std::uint16_t first_parameter = 0;  ///< $n of arrays[0] in Statement::sql
  /// A row may be met more than once (UPDATE ... FROM): with values of its own that is refused,
  /// since which one counts is not certain.
  bool once_each = false;

  /// Rows of VALUES take the identities of those that they meet (ON CONFLICT DO UPDATE). The second
  /// step then ends in array_subscript_error where it meets a row that was not there before.
  [[nodiscard]] bool keeps_identities() const {
    return !columns.empty() && columns.front().kind == Column::Kind::kOrdinal;
  }
};

/// COPY FROM STDIN into a protected table, or COPY TO STDOUT of protected values. Statement::sql is
/// the server's COPY; COPY takes no parameters, so its slots are written into it (slot_text.hpp).
///
/// FROM: a row for the server has the fields that pass, in the client's order and as they came;
/// then for each protected column, those listed first, sealed bytes and (if searchable) the index;
/// then the row id of a bound relation. A header is skipped by the server, whatever it says. TO:
/// the server's columns are the client's, and Statement::outputs says which are to be opened.
struct CopyPlan {
  bool from = false;
  pgwire::CopyOptions options;  ///< of both streams, but that the server is never told MATCH
  std::string encoding;         ///< of the client's stream, if it must be converted; else empty
  struct Column {
    std::string name;
    std::int16_t attribute = 0;  ///< of a protected column; 0: the field passes
    bool force_not_null = false;
    bool force_null = false;
  };
  std::uint32_t relation_oid = 0;       ///< FROM
  std::vector<Column> columns;          ///< FROM: as the client sends them
  std::vector<std::int16_t> defaulted;  ///< FROM: protected, not sent, with a default
  bool quote_all = false;               ///< TO: FORCE_QUOTE *
  std::vector<std::size_t> quoted;      ///< TO: FORCE_QUOTE, positions of protected columns
};

/// What a statement does to the session, so that the gateway can follow it.
enum class Effect : std::uint8_t {
  kNone,
  kSetting,      ///< SET, RESET, set_config(), DISCARD: search_path, role may have changed
  kTransaction,  ///< BEGIN, COMMIT, ROLLBACK, SAVEPOINT, PREPARE TRANSACTION, ...
  kSchema,       ///< DDL: the catalogue snapshot is stale after it commits
  kCopy,         ///< enters COPY mode
};

/// What DDL on a protected column did that the catalogues do not show afterwards.
struct DdlAct {
  enum class Kind : std::uint8_t {
    kSetNotNull,   ///< SET NOT NULL, which the plain column cannot have
    kDropNotNull,  ///< DROP NOT NULL
    kDropDefault,  ///< DROP DEFAULT
    kDropColumn,   ///< DROP COLUMN: helpers and registry follow
    kRevoke,       ///< REVOKE of rights on the column: those on its helpers follow
    kKeepView,     ///< CREATE VIEW of `relation`: what it says, before it gets its protected form
    kUnformView,   ///< CREATE OR REPLACE VIEW of `relation`; before the statement
    kForgetView,   ///< DROP VIEW of `relation`; before the statement
    kJoin,         ///< ATTACH PARTITION or INHERIT of `child`, which is not protected and empty: it
                   ///< gets the form of `relation`; before the statement
  };
  Kind kind = Kind::kSetNotNull;
  int number = 0;                              ///< of the protected column
  std::string column;                          ///< its name before
  std::vector<std::string> privileges, roles;  ///< kRevoke; role "" is PUBLIC
  bool grant_option_only = false;
  bool cascade = false;  ///< kDropColumn: what depends on the column goes with it
  /// Its table, since partitions share the number; kKeepView, kUnformView, kForgetView: the view.
  std::uint32_t relation = 0;
  std::uint32_t child = 0;  ///< kJoin
};

/// DDL that is sent as it is and then *settled* in the same transaction: the gateway gives what is
/// new, changed or granted its protected form (protect/adoption.hpp), or takes the statement back.
struct FollowedDdl {
  std::vector<std::uint32_t> relations;  ///< protected tables, and views over them, it names
  bool members = false;                  ///< what it does to them it does to all that inherit
  std::vector<std::uint32_t> parents;    ///< protected tables that get partitions or children
  std::vector<std::string> awaited;      ///< names of tables that may hold awaited columns now
  bool every_awaited = false;            ///< a schema took an awaited one's name
  std::vector<DdlAct> acts;
  std::vector<DdlAct> before;  ///< settled by themselves before the statement is sent
  /// CREATE VIEW over protected columns; an empty schema is the current one. After the statement
  /// the gateway gives the view its protected form (protect/view_making.hpp).
  struct MadeView {
    std::string schema, name;
  };
  std::optional<MadeView> view;
  bool replaced = false;  ///< only the acts are done, the statement itself is not sent
};

/// SQL's own prepared statements. Their names are the protocol's too, so the session must know
/// them.
struct PreparedUse {
  enum class Kind : std::uint8_t {
    kPrepare,
    kExecute,
    kDeallocate,
    kDeallocateAll,  ///< DISCARD ALL, too
    kWithin,         ///< EXECUTE inside EXPLAIN or CREATE TABLE AS
  };
  Kind kind = Kind::kExecute;
  std::string name;
  std::string query;               ///< kPrepare: its text, whose $n are the client's parameters
  std::vector<std::string> types;  ///< kPrepare: the declared ones, as regtype reads them
  struct Argument {
    std::string sql;  ///< as an expression; empty: it cannot be written
    bool constant = false;
    bool is_null = false;
    std::string text;       ///< of a constant: as its type's input function gets it
    std::uint32_t oid = 0;  ///< of a constant: its type; 0: a literal that takes the parameter's
  };
  std::vector<Argument> arguments;  ///< kExecute
};

struct Statement {
  Action action = Action::kForward;
  Effect effect = Effect::kNone;
  std::string tag;                   ///< "SELECT", "INSERT", ...: node name, for counters
  std::string text;                  ///< this statement's own bytes of the original
  std::string sql;                   ///< rewritten text (kRewrite, kGather)
  std::optional<SqlTemplate> holes;  ///< the same text for other literals
  std::vector<Slot> slots;           ///< server parameters of `sql`; for kGather without the arrays
  std::vector<Output> outputs;
  std::optional<Gather> gather;
  std::optional<CopyPlan> copy;  ///< only of kRewrite
  std::optional<Refusal> refusal;
  std::optional<FollowedDdl> follow;  ///< of a forwarded one
  /// It names a table or column that the policy names and this catalogue does not have, or is DDL
  /// that is followed. Another session may just have made or changed what it is about: to be
  /// planned with a catalogue of this moment, and if that says the same, to be done as it says.
  bool awaits = false;
  /// Classes whose values this statement can open, or seal and set to NULL: for rights, grants and
  /// audit counts.
  std::vector<std::string> classes_read;
  std::vector<std::string> classes_written;
  /// Classes whose values are compared with each other or with one of the client's, or copied to
  /// another column, which shows a masked role what it may not see: joins, IN, count(DISTINCT),
  /// conditions, INSERT ... SELECT.
  std::vector<std::string> classes_compared;
  /// The columns behind classes_written, and those behind classes_compared: some are compared, and
  /// some are read to be written to another column, which no mask may allow.
  std::vector<ColumnId> columns_written, columns_compared, columns_copied;
  /// Number of client parameters the statement has (highest $n), 0 if none.
  std::uint16_t client_parameters = 0;
  /// DECLARE, FETCH, MOVE and CLOSE: the cursor's name. The gateway keeps the outputs of a DECLARE
  /// under it and applies them to the rows of its FETCHes.
  std::string cursor;
  bool cursor_holds = false;  ///< DECLARE ... WITH HOLD
  /// How many columns the result has; 0 if the analysis does not know.
  std::size_t result_columns = 0;
  /// Tag of CommandComplete for the client, where the server's would tell of the rewriting.
  std::string complete_as;
  /// Rewritten only because it reads catalogues (overlay.hpp): it touches no protected column.
  bool only_catalogues = false;
  /// How texts of the client read may be another afterwards: client_encoding,
  /// standard_conforming_strings, or code that may set anything. Only of Effect::kSetting.
  bool changes_reading = false;
  std::optional<PreparedUse> prepared;
  /// COPY ... FROM STDIN: the client sends its data after this statement.
  bool copies_in = false;
  /// True if rows come back (SELECT, RETURNING, ...): from analysis of touched statements only.
  bool returns_rows = false;
};

struct Plan {
  std::uint64_t epoch = 0;            ///< of the catalogue it was made with
  std::vector<Statement> statements;  ///< empty for an empty query
  /// The plan serves every text of its shape that has these tokens as they are here. Only of plans
  /// made with analyse_shape().
  bool serves_shape = false;
  std::map<int, std::string> fixed;
  std::set<int> negative;  ///< numbers with a sign before them
  [[nodiscard]] bool all_forward() const;
};

inline constexpr std::size_t kSqlBytesMax = 16U << 20U;
inline constexpr int kSqlDepthMax = 2'000;

/// Code::kSyntax with the byte offset in `where` ("position 17") if the text does not parse;
/// Code::kTooLarge beyond the limits. Threading: thread-safe (the parser's memory is thread-local).
Result<Plan> analyse(std::string_view sql, const Catalogue& catalogue, const Context& context);
/// The same; if possible the plan serves other texts of the same shape as well.
Result<Plan> analyse_shape(std::string_view sql, const TextShape& shape, const Catalogue& catalogue,
                           const Context& context);

/// The literals of a text of the plan's shape; nullptr if the plan does not serve it.
std::shared_ptr<const TextLiterals> literals_for(const Plan& plan, std::string_view sql,
                                                 const TextShape& shape);
/// The text to send: `sql`, or with other literals in its holes.
std::string text_with(const std::string& sql, const std::optional<SqlTemplate>& holes,
                      const TextLiterals* literals);
/// The clear value of a literal; `literals` null: that of the text the plan was made from.
std::string_view text_of_literal(const Literal& literal, const TextLiterals* literals);

}  // namespace theriac::rewrite
