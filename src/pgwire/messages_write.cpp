#include <algorithm>
#include <limits>
#include <stdexcept>

#include "pgwire/messages.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::uint32_t kCancelCode = 80'877'102;
constexpr std::uint32_t kSslCode = 80'877'103;
constexpr std::size_t kLengthMax = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kCountMax = std::numeric_limits<std::uint16_t>::max();

/// One message being appended; its length word is filled in by finish().
/// What would break the framing (a zero byte inside a text, a count or length that does not fit its
/// field) is a fault of the caller, never of input: it throws, and the session's boundary closes.
class Builder {
 public:
  explicit Builder(Bytes& out) : out_(out), start_(out.size()) { append_be(out_, std::uint32_t{}); }
  Builder(Bytes& out, char tag) : out_(out), start_(out.size() + 1) {
    out_.push_back(static_cast<std::uint8_t>(tag));
    append_be(out_, std::uint32_t{});
  }
  void text(std::string_view value) {
    if (value.find('\0') != std::string_view::npos) {
      throw std::invalid_argument("zero byte in a message text");
    }
    append(out_, value);
    out_.push_back(0);
  }
  void byte(char value) { out_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(std::uint16_t value) { append_be(out_, value); }
  void u32(std::uint32_t value) { append_be(out_, value); }
  void i16(std::int16_t value) { append_be(out_, static_cast<std::uint16_t>(value)); }
  void i32(std::int32_t value) { append_be(out_, static_cast<std::uint32_t>(value)); }
  void count(std::size_t value) {
    if (value > kCountMax) throw std::length_error("too many items in a message");
    u16(static_cast<std::uint16_t>(value));
  }
  void value(bool is_null, ByteView bytes) {
    if (is_null) return i32(-1);
    if (bytes.size() > kLengthMax) throw std::length_error("value too long for a message");
    u32(static_cast<std::uint32_t>(bytes.size()));
    append(out_, bytes);
  }
  void raw(ByteView bytes) { append(out_, bytes); }
  void finish() {
    const auto size = out_.size() - start_;
    if (size > kLengthMax) throw std::length_error("message too long");
    store_be(out_.data() + start_, static_cast<std::uint32_t>(size));
  }

 private:
  Bytes& out_;
  std::size_t start_;
};

void write_target(Bytes& out, char tag, const Target& target) {
  Builder message(out, tag);
  message.byte(target.kind);
  message.text(target.name);
  message.finish();
}

}  // namespace

void write_message(Bytes& out, char tag, ByteView body) {
  Builder message(out, tag);
  message.raw(body);
  message.finish();
}

void write_startup(Bytes& out, const StartupMessage& startup) {
  Builder message(out);
  message.u16(startup.major);
  message.u16(startup.minor);
  for (const auto& [name, value] : startup.parameters) {
    // An empty name would end the list early, and the rest be read as something else.
    if (name.empty()) throw std::invalid_argument("empty start-up parameter name");
    message.text(name);
    message.text(value);
  }
  message.byte('\0');
  message.finish();
}

void write_ssl_request(Bytes& out) {
  Builder message(out);
  message.u32(kSslCode);
  message.finish();
}

void write_cancel(Bytes& out, const CancelRequest& request) {
  Builder message(out);
  message.u32(kCancelCode);
  message.u32(request.process_id);
  message.raw(request.secret_key);
  message.finish();
}

void write_parse(Bytes& out, std::string_view statement, std::string_view sql,
                 std::span<const std::uint32_t> parameter_types) {
  Builder message(out, 'P');
  message.text(statement);
  message.text(sql);
  message.count(parameter_types.size());
  for (const auto type : parameter_types) message.u32(type);
  message.finish();
}

void write_bind(Bytes& out, const Bind& bind) {
  Builder message(out, 'B');
  message.text(bind.portal);
  message.text(bind.statement);
  message.count(bind.parameter_formats.size());
  for (const auto format : bind.parameter_formats) message.i16(format);
  message.count(bind.parameters.size());
  for (const auto& parameter : bind.parameters) message.value(parameter.is_null, parameter.value);
  message.count(bind.result_formats.size());
  for (const auto format : bind.result_formats) message.i16(format);
  message.finish();
}

void write_describe(Bytes& out, const Target& target) { write_target(out, 'D', target); }
void write_close(Bytes& out, const Target& target) { write_target(out, 'C', target); }

void write_execute(Bytes& out, const Execute& execute) {
  Builder message(out, 'E');
  message.text(execute.portal);
  message.i32(execute.rows_max);
  message.finish();
}

void write_flush(Bytes& out) { write_message(out, 'H', {}); }
void write_sync(Bytes& out) { write_message(out, 'S', {}); }

void write_query(Bytes& out, std::string_view sql) {
  Builder message(out, 'Q');
  message.text(sql);
  message.finish();
}

void write_row_description(Bytes& out, std::span<const FieldDescription> fields) {
  Builder message(out, 'T');
  message.count(fields.size());
  for (const auto& field : fields) {
    message.text(field.name);
    message.u32(field.table_oid);
    message.i16(field.attribute);
    message.u32(field.type_oid);
    message.i16(field.type_size);
    message.i32(field.type_modifier);
    message.i16(field.format);
  }
  message.finish();
}

void write_parameter_description(Bytes& out, std::span<const std::uint32_t> types) {
  Builder message(out, 't');
  message.count(types.size());
  for (const auto type : types) message.u32(type);
  message.finish();
}

void write_data_row(Bytes& out, std::span<const DataColumn> columns) {
  // One per row and column of every result that is opened: sized first, then filled in place.
  constexpr std::uint32_t kNull = 0xffff'ffff;
  std::size_t length = 4 + 2 + 4 * columns.size();
  for (const auto& column : columns) length += column.is_null ? 0 : column.value.size();
  if (columns.size() > kCountMax) throw std::length_error("too many items in a message");
  if (length > kLengthMax) throw std::length_error("message too long");
  const auto start = out.size();
  out.resize(start + 1 + length);
  auto* at = out.data() + start;
  *at++ = 'D';
  store_be(at, static_cast<std::uint32_t>(length));
  store_be(at + 4, static_cast<std::uint16_t>(columns.size()));
  at += 6;
  for (const auto& column : columns) {
    const auto value = column.is_null ? ByteView{} : column.value;
    store_be(at, column.is_null ? kNull : static_cast<std::uint32_t>(value.size()));
    at = std::copy(value.begin(), value.end(), at + 4);
  }
}

void write_ready(Bytes& out, char transaction_status) {
  Builder message(out, 'Z');
  message.byte(transaction_status);
  message.finish();
}

void write_copy_in(Bytes& out, std::size_t columns, bool binary) {
  Builder message(out, 'G');
  message.byte(binary ? '\1' : '\0');
  message.count(columns);
  for (std::size_t i = 0; i < columns; ++i) message.i16(binary ? 1 : 0);
  message.finish();
}

void write_copy_fail(Bytes& out, std::string_view reason) {
  Builder message(out, 'f');
  message.text(reason);
  message.finish();
}

void write_error(Bytes& out, const ErrorReport& report) {
  Builder message(out, 'E');
  const auto field = [&message](char code, std::string_view text) {
    message.byte(code);
    message.text(text.substr(0, text.find('\0')));
  };
  field('S', report.severity);
  field('V', report.severity);
  field('C', report.sqlstate);
  field('M', report.message);
  if (!report.detail.empty()) field('D', report.detail);
  if (!report.hint.empty()) field('H', report.hint);
  if (!report.context.empty()) field('W', report.context);
  if (report.position != 0) field('P', std::to_string(report.position));
  message.byte('\0');
  message.finish();
}

ErrorReport report_of(const Error& error) {
  const auto& info = info_of(error.code);
  ErrorReport report;
  report.sqlstate = info.sqlstate;
  report.message = info.what;
  if (!error.where.empty()) report.message += " (" + error.where + ")";
  report.hint = info.remedy;
  return report;
}

}  // namespace theriac::pgwire
