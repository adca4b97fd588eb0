#include "store/pg.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <array>
#include <charconv>
#include <vector>

namespace theriac::store {
namespace {

constexpr std::string_view kConnectionLost = "08006";

Code code_of(std::string_view sqlstate) {
  if (sqlstate == "53100") return Code::kDiskFull;
  if (sqlstate == "57014") return Code::kTimeout;
  if (sqlstate == "40001" || sqlstate == "40P01") return Code::kConflict;
  return Code::kUpstream;
}

// libpq reads SQL text and names as C strings.
Result<std::string> terminated(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return fail(Code::kMalformed, "zero byte in SQL");
  return std::string(text);
}

/// Parameters in the four parallel arrays libpq wants; owns zero-terminated copies of texts.
class Parameters {
 public:
  static Result<Parameters> of(std::span<const PgParam> params) {
    if (params.size() > 65'535) return fail(Code::kTooLarge, "SQL parameters");
    Parameters made;
    made.texts_.reserve(params.size());  // views into it stay valid
    for (const auto& param : params) {
      made.oids_.push_back(param.oid);
      made.formats_.push_back(static_cast<int>(param.format));
      if (!param.value) {
        made.values_.push_back(nullptr);
        made.lengths_.push_back(0);
      } else if (param.format == PgFormat::kText) {
        THERIAC_ASSIGN(auto text, terminated(text_of(*param.value)));
        made.texts_.push_back(std::move(text));
        made.values_.push_back(made.texts_.back().c_str());
        made.lengths_.push_back(0);
      } else {
        if (param.value->size() > (1U << 30U)) return fail(Code::kTooLarge, "SQL parameter");
        // A null pointer would mean SQL NULL, and an empty view may hold one.
        made.values_.push_back(param.value->empty() ? "" : text_of(*param.value).data());
        made.lengths_.push_back(static_cast<int>(param.value->size()));
      }
    }
    return made;
  }
  [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
  [[nodiscard]] const Oid* oids() const { return oids_.data(); }
  [[nodiscard]] const char* const* values() const { return values_.data(); }
  [[nodiscard]] const int* lengths() const { return lengths_.data(); }
  [[nodiscard]] const int* formats() const { return formats_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<Oid> oids_;
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;
};

/// Drops what the server says unasked; that it dismisses an idle client comes this way too.
void take_notice(void* dismissed, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && std::string_view(severity) == "FATAL")
    *static_cast<bool*>(dismissed) = true;
}

}  // namespace

void PgResult::Clear::operator()(pg_result* result) const { PQclear(result); }
void PgConnection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

std::size_t PgResult::rows() const { return static_cast<std::size_t>(PQntuples(result_.get())); }
std::size_t PgResult::columns() const { return static_cast<std::size_t>(PQnfields(result_.get())); }

std::optional<std::string_view> PgResult::value(std::size_t row, std::size_t column) const {
  THERIAC_ASSERT(row < rows() && column < columns());
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  if (PQgetisnull(result_.get(), r, c) == 1) return std::nullopt;
  return std::string_view(PQgetvalue(result_.get(), r, c),
                          static_cast<std::size_t>(PQgetlength(result_.get(), r, c)));
}

std::optional<ByteView> PgResult::bytes(std::size_t row, std::size_t column) const {
  const auto text = value(row, column);
  if (!text) return std::nullopt;
  return view_of(*text);
}

std::string_view PgResult::column_name(std::size_t column) const {
  THERIAC_ASSERT(column < columns());
  return PQfname(result_.get(), static_cast<int>(column));
}

std::uint32_t PgResult::column_oid(std::size_t column) const {
  THERIAC_ASSERT(column < columns());
  return PQftype(result_.get(), static_cast<int>(column));
}

std::uint64_t PgResult::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string_view PgResult::command_tag() const { return PQcmdStatus(result_.get()); }

Result<PgConnection> PgConnection::open(const std::string& conninfo) {
  // What stands in `conninfo` (expanded from dbname, later in the list) overrides the time limit.
  const std::array<const char*, 5> keywords{"connect_timeout", "fallback_application_name",
                                            "dbname", "client_encoding", nullptr};
  const std::array<const char*, 5> values{"10", "theriac", conninfo.c_str(), "UTF8", nullptr};
  PgConnection connection(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (!connection.connection_) return fail(Code::kUpstream, "no memory for a connection");
  if (PQstatus(connection.connection_.get()) != CONNECTION_OK) {
    return fail(Code::kUpstream, "SQLSTATE 08006");
  }
  PQsetNoticeReceiver(connection.connection_.get(), take_notice, connection.dismissed_.get());
  return connection;
}

Result<PgResult> PgConnection::take(pg_result* raw) {
  PgResult result(raw);
  last_sqlstate_.clear();
  if (raw == nullptr) {
    last_sqlstate_ = kConnectionLost;
    return fail(Code::kUpstream, "SQLSTATE 08006");
  }
  switch (PQresultStatus(raw)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      return result;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      connection_.reset();
      last_sqlstate_ = "0A000";
      return fail(Code::kUnsupported, "COPY");
    default:
      break;
  }
  const char* state = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
  last_sqlstate_ = state != nullptr ? std::string_view(state) : kConnectionLost;
  return fail(code_of(last_sqlstate_), "SQLSTATE " + last_sqlstate_);
}

Result<PgResult> PgConnection::query(std::string_view sql, std::span<const PgParam> params,
                                     PgFormat result_format) {
  if (!connection_) return fail(Code::kClosed, "database connection");
  THERIAC_ASSIGN(const auto text, terminated(sql));
  THERIAC_ASSIGN(const auto p, Parameters::of(params));
  return take(PQexecParams(connection_.get(), text.c_str(), p.count(), p.oids(), p.values(),
                           p.lengths(), p.formats(), static_cast<int>(result_format)));
}

Result<PgResult> PgConnection::exec(std::string_view sql) {
  if (!connection_) return fail(Code::kClosed, "database connection");
  THERIAC_ASSIGN(const auto text, terminated(sql));
  return take(PQexec(connection_.get(), text.c_str()));
}

Status PgConnection::prepare(const std::string& name, std::string_view sql,
                             std::span<const std::uint32_t> oids) {
  if (!connection_) return fail(Code::kClosed, "database connection");
  THERIAC_ASSIGN(const auto text, terminated(sql));
  if (oids.size() > 65'535) return fail(Code::kTooLarge, "SQL parameters");
  THERIAC_TRY(take(PQprepare(connection_.get(), name.c_str(), text.c_str(),
                             static_cast<int>(oids.size()), oids.data())));
  return {};
}

Result<PgResult> PgConnection::execute(const std::string& name, std::span<const PgParam> params,
                                       PgFormat result_format) {
  if (!connection_) return fail(Code::kClosed, "database connection");
  THERIAC_ASSIGN(const auto p, Parameters::of(params));
  return take(PQexecPrepared(connection_.get(), name.c_str(), p.count(), p.values(), p.lengths(),
                             p.formats(), static_cast<int>(result_format)));
}

bool PgConnection::alive() const {
  return connection_ && PQstatus(connection_.get()) == CONNECTION_OK;
}

bool PgConnection::still_there() {
  pollfd socket{.fd = alive() ? PQsocket(connection_.get()) : -1, .events = POLLIN, .revents = 0};
  while (alive() && !*dismissed_ && ::poll(&socket, 1, 0) != 0) {
    if (PQconsumeInput(connection_.get()) == 0) return false;
    PQclear(PQgetResult(connection_.get()));  // takes in what came; nothing was asked for
  }
  return alive() && !*dismissed_;
}

bool PgConnection::in_transaction() const {
  if (!connection_) return false;
  const auto status = PQtransactionStatus(connection_.get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

int PgConnection::server_version() const {
  return connection_ ? PQserverVersion(connection_.get()) : 0;
}

std::string PgConnection::parameter_status(const std::string& name) const {
  if (!connection_) return {};
  const char* value = PQparameterStatus(connection_.get(), name.c_str());
  return value != nullptr ? value : "";
}

void PgConnection::cancel() const {
  if (!connection_) return;
  PGcancel* handle = PQgetCancel(connection_.get());
  if (handle == nullptr) return;
  std::array<char, 256> ignored{};
  PQcancel(handle, ignored.data(), static_cast<int>(ignored.size()));
  PQfreeCancel(handle);
}

Result<PgTransaction> PgTransaction::begin(PgConnection& connection, std::string_view mode) {
  THERIAC_TRY(connection.exec("BEGIN " + std::string(mode)));
  return PgTransaction(connection);
}

PgTransaction::~PgTransaction() {
  if (connection_ != nullptr && connection_->alive()) {
    const auto sqlstate = connection_->last_sqlstate();  // the failure that led here stays readable
    (void)connection_->exec("ROLLBACK");
    if (!sqlstate.empty()) connection_->last_sqlstate_ = sqlstate;
  }
}

Status PgTransaction::commit() {
  auto* connection = std::exchange(connection_, nullptr);
  THERIAC_ASSERT(connection != nullptr);
  THERIAC_ASSIGN(const auto result, connection->exec("COMMIT"));
  if (result.command_tag() != "COMMIT") return fail(Code::kConflict, "transaction had failed");
  return {};
}

Result<std::string> pg_conninfo_for(const std::string& conninfo, std::string_view database) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
  if (!options) return fail(Code::kUsage, "connection string");
  std::string out;
  const auto add = [&](std::string_view key, std::string_view value) {
    out.append(out.empty() ? "" : " ").append(key).append("='");
    for (const char c : value) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    out += '\'';
  };
  for (const auto* at = options.get(); at->keyword != nullptr; ++at) {
    if (at->val != nullptr && std::string_view(at->keyword) != "dbname") add(at->keyword, at->val);
  }
  add("dbname", database);
  return out;
}

std::string pg_quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string pg_quote_literal(std::string_view text) {
  const bool escaped = text.find('\\') != std::string_view::npos;
  std::string out = escaped ? " E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + '\'';
}

}  // namespace theriac::store
