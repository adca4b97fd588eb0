// PostgreSQL frontend/backend protocol 3.0, without sockets: cutting a byte stream into messages,
// reading the ones the gateway must understand, writing the ones it makes.
// Source: PostgreSQL 15 manual, chapter 55. Threading: values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::pgwire {

// --- framing -----------------------------------------------------------------------------------

/// A message as it stands in a buffer: tag, and its body without the length word. `raw` is tag,
/// length and body, for forwarding untouched. Borrowed from the buffer fed.
struct Frame {
  char tag = 0;
  ByteView body;
  ByteView raw;
};

/// Limits of one message body, by side and state (limits.hpp).
inline constexpr std::uint32_t kStartupBytesMax = 10'000;      // as PostgreSQL's own limit
inline constexpr std::uint32_t kAuthMessageBytesMax = 65'535;  // before sign-in
inline constexpr std::uint32_t kMessageBytesMax = 1U << 30U;   // as PostgreSQL's MaxAllocSize

/// Takes the first whole typed message off the front of `buffer`.
/// nullopt: more bytes are wanted. Code::kProtocol: length below 4; Code::kTooLarge: beyond the
/// limit, known as soon as the length word is there.
Result<std::optional<Frame>> cut_message(ByteView buffer, std::uint32_t body_bytes_max);

// --- start-up ----------------------------------------------------------------------------------

struct StartupParameter {
  std::string name;
  std::string value;
};
struct StartupMessage {
  std::uint16_t major = 3;
  std::uint16_t minor = 0;
  std::vector<StartupParameter> parameters;
  [[nodiscard]] const std::string* find(std::string_view name) const;
};
struct CancelRequest {
  std::uint32_t process_id = 0;
  Bytes secret_key;  ///< 4 bytes in 3.0, 4 to 256 in 3.2
};
enum class StartupKind : std::uint8_t { kStartup, kSsl, kGssEnc, kCancel };
struct Startup {
  StartupKind kind = StartupKind::kStartup;
  StartupMessage message;  ///< kStartup
  CancelRequest cancel;    ///< kCancel
  std::size_t size = 0;    ///< bytes consumed
};
/// Reads the first packet of a connection. nullopt: more bytes are wanted.
Result<std::optional<Startup>> cut_startup(ByteView buffer);

// --- messages the gateway reads ------------------------------------------------------------------
// Each returns Code::kProtocol for a body that is short, long, or not terminated where it must be.

struct Parse {
  std::string_view statement;
  std::string_view sql;
  std::vector<std::uint32_t> parameter_types;
};
struct BindParameter {
  bool is_null = false;
  ByteView value;
};
struct Bind {
  std::string_view portal;
  std::string_view statement;
  std::vector<std::int16_t> parameter_formats;  ///< 0, 1 or one per parameter
  std::vector<BindParameter> parameters;
  std::vector<std::int16_t> result_formats;
  [[nodiscard]] std::int16_t parameter_format(std::size_t index) const;
};
struct Target {     ///< Describe and Close
  char kind = 'S';  ///< 'S' statement, 'P' portal
  std::string_view name;
};
struct Execute {
  std::string_view portal;
  std::int32_t rows_max = 0;
};
struct FieldDescription {
  std::string name;
  std::uint32_t table_oid = 0;
  std::int16_t attribute = 0;
  std::uint32_t type_oid = 0;
  std::int16_t type_size = 0;
  std::int32_t type_modifier = -1;
  std::int16_t format = 0;
};
struct DataColumn {
  bool is_null = false;
  ByteView value;
};
struct CopyResponse {  ///< CopyInResponse and CopyOutResponse
  bool binary = false;
  std::size_t columns = 0;
};
struct NoticeField {  ///< ErrorResponse and NoticeResponse
  char code = 0;
  std::string_view text;
};

Result<Parse> read_parse(ByteView body);
Result<Bind> read_bind(ByteView body);
Result<Target> read_target(ByteView body);
Result<Execute> read_execute(ByteView body);
Result<std::string_view> read_query(ByteView body);
Result<std::vector<FieldDescription>> read_row_description(ByteView body);
Result<std::vector<std::uint32_t>> read_parameter_description(ByteView body);
Result<CopyResponse> read_copy_response(ByteView body);
/// The client's reason in a CopyFail.
Result<std::string_view> read_copy_fail(ByteView body);
/// Into a reused vector: the hot path allocates nothing.
Status read_data_row(ByteView body, std::vector<DataColumn>& columns);
/// Tolerates a server that omits the terminator or the SQLSTATE.
std::vector<NoticeField> read_notice(ByteView body);
Result<std::pair<std::string_view, std::string_view>> read_parameter_status(ByteView body);

// --- messages the gateway writes: each appends one whole message --------------------------------

void write_startup(Bytes& out, const StartupMessage& message);
void write_ssl_request(Bytes& out);
void write_cancel(Bytes& out, const CancelRequest& request);
void write_parse(Bytes& out, std::string_view statement, std::string_view sql,
                 std::span<const std::uint32_t> parameter_types);
void write_bind(Bytes& out, const Bind& bind);
void write_describe(Bytes& out, const Target& target);
void write_close(Bytes& out, const Target& target);
void write_execute(Bytes& out, const Execute& execute);
void write_flush(Bytes& out);
void write_sync(Bytes& out);
void write_query(Bytes& out, std::string_view sql);
void write_row_description(Bytes& out, std::span<const FieldDescription> fields);
void write_parameter_description(Bytes& out, std::span<const std::uint32_t> types);
void write_data_row(Bytes& out, std::span<const DataColumn> columns);
void write_ready(Bytes& out, char transaction_status);
/// CopyInResponse of `columns` columns, all of one format.
void write_copy_in(Bytes& out, std::size_t columns, bool binary);
void write_copy_fail(Bytes& out, std::string_view reason);
/// A message of tag and body as they are.
void write_message(Bytes& out, char tag, ByteView body);

struct ErrorReport {
  std::string_view severity = "ERROR";  ///< "FATAL" before the session is closed
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;       ///< field W: "COPY people, line 3"
  std::size_t position = 0;  ///< field P: characters of the client's text, from 1; 0: none
};
void write_error(Bytes& out, const ErrorReport& report);
ErrorReport report_of(const Error& error);

}  // namespace theriac::pgwire
