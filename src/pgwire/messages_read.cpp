#include <algorithm>

#include "pgwire/cursor.hpp"
#include "pgwire/messages.hpp"

namespace theriac::pgwire {
namespace {

// Protocol "versions" that are requests (PostgreSQL 15, pqcomm.h).
constexpr std::uint32_t kCancelCode = 80'877'102;
constexpr std::uint32_t kSslCode = 80'877'103;
constexpr std::uint32_t kGssEncCode = 80'877'104;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kCancelKeyBytesMin = 4, kCancelKeyBytesMax = 256;

Status ended(const Cursor& cursor, const char* where) {
  if (!cursor.at_end()) return fail(Code::kProtocol, where);
  return {};
}

Status read_parameters(ByteView body, StartupMessage& message) {
  Cursor cursor(body);
  for (;;) {
    const auto name = cursor.text();
    if (!cursor.good()) return fail(Code::kProtocol, "StartupMessage");
    if (name.empty()) break;
    const auto value = cursor.text();
    message.parameters.push_back({std::string(name), std::string(value)});
  }
  return ended(cursor, "StartupMessage");
}

Status read_startup_body(ByteView body, Startup& startup) {
  const auto version = load_be<std::uint32_t>(body.data());
  const auto rest = body.subspan(kLengthBytes);
  switch (version) {
    case kSslCode:
    case kGssEncCode:
      startup.kind = version == kSslCode ? StartupKind::kSsl : StartupKind::kGssEnc;
      if (!rest.empty()) return fail(Code::kProtocol, "encryption request");
      return {};
    case kCancelCode: {
      startup.kind = StartupKind::kCancel;
      Cursor cursor(rest);
      startup.cancel.process_id = cursor.take<std::uint32_t>();
      const auto key = cursor.rest();
      if (!cursor.good() || key.size() < kCancelKeyBytesMin || key.size() > kCancelKeyBytesMax) {
        return fail(Code::kProtocol, "CancelRequest");
      }
      startup.cancel.secret_key.assign(key.begin(), key.end());
      return {};
    }
    default:
      startup.message.major = static_cast<std::uint16_t>(version >> 16U);
      startup.message.minor = static_cast<std::uint16_t>(version);
      if (startup.message.major != 3) return fail(Code::kProtocol, "protocol version");
      return read_parameters(rest, startup.message);
  }
}

}  // namespace

Result<std::optional<Frame>> cut_message(ByteView buffer, std::uint32_t body_bytes_max) {
  constexpr std::size_t kHead = 1 + kLengthBytes;
  if (buffer.size() < kHead) return std::optional<Frame>{};
  const auto length = load_be<std::uint32_t>(buffer.data() + 1);
  if (length < kLengthBytes) return fail(Code::kProtocol, "message length");
  if (length - kLengthBytes > body_bytes_max) return fail(Code::kTooLarge, "message length");
  const std::size_t size = std::size_t{1} + length;
  if (buffer.size() < size) return std::optional<Frame>{};
  return std::optional<Frame>{std::in_place, static_cast<char>(buffer[0]),
                              buffer.subspan(kHead, size - kHead), buffer.first(size)};
}

Result<std::optional<Startup>> cut_startup(ByteView buffer) {
  if (buffer.size() < kLengthBytes) return std::optional<Startup>{};
  const auto length = load_be<std::uint32_t>(buffer.data());
  if (length < 2 * kLengthBytes) return fail(Code::kProtocol, "startup packet length");
  if (length - kLengthBytes > kStartupBytesMax) {
    return fail(Code::kTooLarge, "startup packet length");
  }
  if (buffer.size() < length) return std::optional<Startup>{};
  Startup startup;
  startup.size = length;
  THERIAC_TRY(read_startup_body(buffer.subspan(kLengthBytes, length - kLengthBytes), startup));
  return std::optional<Startup>{std::move(startup)};
}

const std::string* StartupMessage::find(std::string_view name) const {
  // The last one wins, as in PostgreSQL, which applies them in order.
  for (auto it = parameters.rbegin(); it != parameters.rend(); ++it) {
    if (it->name == name) return &it->value;
  }
  return nullptr;
}

std::int16_t Bind::parameter_format(std::size_t index) const {
  if (parameter_formats.empty()) return 0;
  if (parameter_formats.size() == 1) return parameter_formats[0];
  return parameter_formats.at(index);
}

Result<Parse> read_parse(ByteView body) {
  Cursor cursor(body);
  Parse parse;
  parse.statement = cursor.text();
  parse.sql = cursor.text();
  const auto types = cursor.count(sizeof(std::uint32_t));
  parse.parameter_types.reserve(types);
  for (int i = 0; i < types; ++i) parse.parameter_types.push_back(cursor.take<std::uint32_t>());
  THERIAC_TRY(ended(cursor, "Parse"));
  return parse;
}

Result<Bind> read_bind(ByteView body) {
  Cursor cursor(body);
  Bind bind;
  bind.portal = cursor.text();
  bind.statement = cursor.text();
  const auto formats = cursor.count(sizeof(std::int16_t));
  bind.parameter_formats.reserve(formats);
  for (int i = 0; i < formats; ++i) bind.parameter_formats.push_back(cursor.take_i16());
  const auto parameters = cursor.count(sizeof(std::int32_t));
  bind.parameters.resize(parameters);
  for (auto& parameter : bind.parameters) parameter.is_null = cursor.value(parameter.value);
  const auto results = cursor.count(sizeof(std::int16_t));
  bind.result_formats.reserve(results);
  for (int i = 0; i < results; ++i) bind.result_formats.push_back(cursor.take_i16());
  THERIAC_TRY(ended(cursor, "Bind"));
  if (formats > 1 && formats != parameters) return fail(Code::kProtocol, "Bind formats");
  return bind;
}

Result<Target> read_target(ByteView body) {
  Cursor cursor(body);
  Target target;
  target.kind = static_cast<char>(cursor.take<std::uint8_t>());
  target.name = cursor.text();
  THERIAC_TRY(ended(cursor, "Describe or Close"));
  if (target.kind != 'S' && target.kind != 'P') {
    return fail(Code::kProtocol, "Describe or Close kind");
  }
  return target;
}

Result<Execute> read_execute(ByteView body) {
  Cursor cursor(body);
  Execute execute;
  execute.portal = cursor.text();
  execute.rows_max = cursor.take_i32();
  THERIAC_TRY(ended(cursor, "Execute"));
  return execute;
}

Result<std::string_view> read_query(ByteView body) {
  Cursor cursor(body);
  const auto sql = cursor.text();
  THERIAC_TRY(ended(cursor, "Query"));
  return sql;
}

Result<CopyResponse> read_copy_response(ByteView body) {
  Cursor cursor(body);
  CopyResponse response;
  response.binary = cursor.take<std::uint8_t>() != 0;
  response.columns = cursor.count(2);
  cursor.bytes(response.columns * 2);
  THERIAC_TRY(ended(cursor, "CopyInResponse or CopyOutResponse"));
  return response;
}

Result<std::string_view> read_copy_fail(ByteView body) {
  Cursor cursor(body);
  const auto reason = cursor.text();
  THERIAC_TRY(ended(cursor, "CopyFail"));
  return reason;
}

Result<std::vector<FieldDescription>> read_row_description(ByteView body) {
  constexpr std::size_t kFieldBytesMin = 1 + 18;  // an empty name and the fixed part
  Cursor cursor(body);
  std::vector<FieldDescription> fields(cursor.count(kFieldBytesMin));
  for (auto& field : fields) {
    field.name = cursor.text();
    field.table_oid = cursor.take<std::uint32_t>();
    field.attribute = cursor.take_i16();
    field.type_oid = cursor.take<std::uint32_t>();
    field.type_size = cursor.take_i16();
    field.type_modifier = cursor.take_i32();
    field.format = cursor.take_i16();
  }
  THERIAC_TRY(ended(cursor, "RowDescription"));
  return fields;
}

Result<std::vector<std::uint32_t>> read_parameter_description(ByteView body) {
  Cursor cursor(body);
  std::vector<std::uint32_t> types(cursor.count(sizeof(std::uint32_t)));
  for (auto& type : types) type = cursor.take<std::uint32_t>();
  THERIAC_TRY(ended(cursor, "ParameterDescription"));
  return types;
}

Status read_data_row(ByteView body, std::vector<DataColumn>& columns) {
  Cursor cursor(body);
  columns.resize(cursor.count(sizeof(std::int32_t)));
  for (auto& column : columns) column.is_null = cursor.value(column.value);
  return ended(cursor, "DataRow");
}

std::vector<NoticeField> read_notice(ByteView body) {
  std::vector<NoticeField> fields;
  while (!body.empty() && body[0] != 0) {
    const auto code = static_cast<char>(body[0]);
    body = body.subspan(1);
    const auto text = text_of(body);
    const auto size = std::min(text.find('\0'), text.size());
    fields.push_back({code, text.substr(0, size)});
    body = body.subspan(std::min(size + 1, body.size()));
  }
  return fields;
}

Result<std::pair<std::string_view, std::string_view>> read_parameter_status(ByteView body) {
  Cursor cursor(body);
  const auto name = cursor.text();
  const auto value = cursor.text();
  THERIAC_TRY(ended(cursor, "ParameterStatus"));
  return std::pair{name, value};
}

}  // namespace theriac::pgwire
