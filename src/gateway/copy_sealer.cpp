// COPY FROM STDIN: the client's rows, sealed.
#include <algorithm>

#include "gateway/copy_streams.hpp"

namespace theriac::gateway {

using pgwire::CopyFormat;
using pgwire::CopyHeader;
using pgwire::CopyReader;
using pgwire::ErrorReport;

CopySealer::CopySealer(std::shared_ptr<const rewrite::Statement> statement,
                       std::shared_ptr<const rewrite::Catalogue> catalogue,
                       pgwire::TextSettings settings, Ciphers& ciphers, Random& random)
    : statement_(std::move(statement)),
      catalogue_(std::move(catalogue)),
      settings_(std::move(settings)),
      ciphers_(ciphers),
      random_(random),
      reader_(statement_->copy->options, statement_->copy->columns.size(),
              CopyReader::From::kClient) {}

Refusable<std::unique_ptr<CopySealer>> CopySealer::make(
    std::shared_ptr<const rewrite::Statement> statement,
    std::shared_ptr<const rewrite::Catalogue> catalogue, const pgwire::TextSettings& settings,
    Ciphers& ciphers, Random& random) {
  std::unique_ptr<CopySealer> made(
      new CopySealer(std::move(statement), std::move(catalogue), settings, ciphers, random));
  if (auto ready = made->prepare(); !ready) return refuse(std::move(ready.error()));
  return made;
}

Refusable<void> CopySealer::prepare() {
  const auto& copy = plan();
  relation_ = catalogue_->find(copy.relation_oid);
  if (relation_ == nullptr) {
    return refuse(pgwire::report_of(Error{Code::kInternal, "plan names no protected table"}));
  }
  for (std::size_t i = 0; i < copy.columns.size(); ++i) {
    const auto& column = copy.columns[i];
    if (column.attribute == 0) {
      passed_.push_back(i);
      continue;
    }
    auto found = column_of(*catalogue_, copy.relation_oid, column.attribute);
    if (!found) return refuse(std::move(found.error()));
    targets_.push_back({*found, i, column.force_not_null, column.force_null, std::nullopt,
                        found->protection().indexes()});
  }
  for (const auto attribute : copy.defaulted) {
    auto found = column_of(*catalogue_, copy.relation_oid, attribute);
    if (!found) return refuse(std::move(found.error()));
    targets_.push_back({*found, 0, false, false, found->protection().default_stored,
                        found->protection().indexes()});
  }
  server_columns_ = passed_.size() + (relation_->bound ? 1 : 0);
  for (const auto& target : targets_) {
    server_columns_ += 1 + target.indexes.size();
  }
  if (is_binary()) return {};
  settings_.encoding = nullptr;  // the stream is converted as a whole
  if (copy.encoding.empty()) return {};
  auto transcoder = pgwire::CopyTranscoder::to_utf8(copy.encoding);
  if (!transcoder) return refuse(pgwire::report_of(transcoder.error()));
  transcoder_.emplace(std::move(*transcoder));
  return {};
}

ErrorReport CopySealer::report(const Error& error, const ColumnRef* column) const {
  auto made = report_about(error, column == nullptr ? std::string() : column->name());
  if (is_binary() && reader_.line() == 0) return made;  // of the preamble PostgreSQL says no place
  made.context = "COPY " + relation_->name + ", line " +
                 std::to_string(std::max<std::uint64_t>(reader_.line(), 1));
  if (column != nullptr) made.context += ", column " + column->column->name;
  return made;
}

ErrorReport CopySealer::bad_data(std::string what) const {
  auto made = report({Code::kMalformed, {}}, nullptr);
  made.sqlstate = pgwire::kCopySqlstate;
  made.message = std::move(what);
  made.hint.clear();
  if (const auto field = reader_.bad_field()) {
    made.context += ", column " + plan().columns[*field].name;
  }
  return made;
}

Refusable<void> CopySealer::feed(ByteView bytes, Bytes& out) {
  if (!transcoder_) {
    reader_.feed(bytes);
    return rows(out);
  }
  converted_.clear();
  const auto done = transcoder_->convert(bytes, converted_);
  // What came before a bad character is still looked at: its errors come first.
  reader_.feed(converted_);
  auto good = rows(out);
  if (good && !done) return refuse(report(done.error(), nullptr));
  return good;
}

Refusable<void> CopySealer::finish(Bytes& out) {
  if (transcoder_) {
    converted_.clear();
    const auto done = transcoder_->finish(converted_);
    if (!done) return refuse(report(done.error(), nullptr));
    reader_.feed(converted_);
  }
  reader_.finish();
  return rows(out);
}

Refusable<void> CopySealer::rows(Bytes& out) {
  for (;;) {
    const auto next = reader_.next();
    if (!next) {
      if (next.error().code == Code::kMalformed) return refuse(bad_data(next.error().where));
      return refuse(report(next.error(), nullptr));
    }
    Refusable<void> done;
    switch (*next) {
      case CopyReader::Next::kMore:
        return {};
      case CopyReader::Next::kEnd:
        if (auto good = check_no_header(); !good) return good;
        // The binary trailer; "\." is told by CopyDone.
        if (is_binary()) append(out, reader_.whole());
        if (reader_.whole().empty()) return {};
        continue;
      case CopyReader::Next::kHeader:
        done = header(out);
        break;
      case CopyReader::Next::kRow:
        done = row(out);
        break;
    }
    if (!done) return done;
  }
}

Refusable<void> CopySealer::header(Bytes& out) {
  if (is_binary()) {
    append(out, reader_.whole());
    return {};
  }
  header_seen_ = true;
  if (options().header == CopyHeader::kMatch) {
    if (auto good = check_header(); !good) return good;
  }
  // The server skips one line. What the client wrote there could be a row of values.
  append(out, reader_.ending());
  return {};
}

Refusable<void> CopySealer::check_header() {
  constexpr std::size_t kFieldsMax = 100'000;
  if (const auto split = reader_.split(kFieldsMax); !split) {
    return refuse(bad_data(split.error().where));
  }
  return check_header(reader_.fields());
}

/// A stream without a line has an empty header.
Refusable<void> CopySealer::check_no_header() {
  if (header_seen_ || is_binary() || options().header != CopyHeader::kMatch) return {};
  header_seen_ = true;
  return check_header({{options().null_text.empty(), {}}});
}

Refusable<void> CopySealer::check_header(const std::vector<pgwire::CopyField>& fields) {
  const auto& columns = plan().columns;
  if (fields.size() != columns.size()) {
    return refuse(bad_data("wrong number of fields in header line: got " +
                           std::to_string(fields.size()) + ", expected " +
                           std::to_string(columns.size())));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    pgwire::copy_value(options(), fields[i], value_);
    if (!fields[i].is_null && text_of(value_) == columns[i].name) continue;
    // What was found instead could be a value.
    return refuse(bad_data("column name mismatch in header line field " + std::to_string(i + 1) +
                           ": expected \"" + columns[i].name + "\""));
  }
  return {};
}

void CopySealer::separate(bool first, Bytes& out) const {
  if (!first && !is_binary()) out.push_back(static_cast<std::uint8_t>(options().delimiter));
}

Refusable<void> CopySealer::row(Bytes& out) {
  const auto columns = plan().columns.size();
  if (const auto split = reader_.split(columns); !split) {
    return refuse(bad_data(split.error().where));
  }
  const auto have = reader_.fields().size();
  const auto before = out.size();
  if (is_binary()) append_be(out, static_cast<std::uint16_t>(server_columns_));
  bool first = !pass_fields(have, out);
  std::optional<RowId> id;
  if (relation_->bound) id = random_.uuid<RowId>();
  for (const auto& target : targets_) {
    if (have < columns && (target.fixed || target.place >= have)) break;
    if (auto done = protect(target, id, first, out); !done) {
      cut_row(target.place, before, out);
      return done;
    }
    first = false;
  }
  if (have < columns) {
    cut_row(have, before, out);
    return refuse(bad_data("missing data for column \"" + plan().columns[have].name + "\""));
  }
  if (id) {
    separate(first, out);
    pgwire::write_copy_uuid(options(), id->view(), out);
  }
  append(out, reader_.ending());
  return {};
}

/// The fields that pass, of the client's columns before `place`; false: there is none.
bool CopySealer::pass_fields(std::size_t place, Bytes& out) const {
  const bool binary = is_binary();
  bool any = false;
  for (const auto at : passed_) {
    if (at >= place) break;
    const auto& field = reader_.fields()[at];
    separate(!any, out);
    any = true;
    if (binary && field.is_null) {
      pgwire::write_copy_null(options(), out);
    } else {
      if (binary) append_be(out, static_cast<std::uint32_t>(field.raw.size()));
      append(out, field.raw);
    }
  }
  return any;
}

/// In the place of a refused row: the fields PostgreSQL would have read before it met the error, so
/// that an error in one of those is found first.
void CopySealer::cut_row(std::size_t place, std::size_t before, Bytes& out) const {
  out.resize(before);
  if (!is_binary() && pass_fields(place, out)) append(out, reader_.ending());
}

/// False: NULL.
Refusable<bool> CopySealer::value_of(const Target& target, std::string& stored) {
  if (target.fixed) {
    stored = *target.fixed;
    return true;
  }
  const auto& field = reader_.fields()[target.place];
  if (field.is_null && !target.force_not_null) return false;
  pgwire::copy_value(options(), field, value_);
  if (!field.is_null && target.force_null && text_of(value_) == options().null_text) return false;
  if (!is_binary() && std::ranges::find(value_, 0) != value_.end()) {
    return refuse(report({Code::kBadEncoding, "zero byte"}, nullptr));
  }
  auto made =
      pgwire::to_stored(target.column.column->type, 0, is_binary() ? 1 : 0, value_, settings_);
  wipe(value_);
  if (!made) {
    // PostgreSQL looks at the encoding of whole lines.
    const bool of_line = made.error().code == Code::kBadEncoding && !is_binary();
    return refuse(report(made.error(), of_line ? nullptr : &target.column));
  }
  stored = std::move(*made);
  return true;
}

Refusable<void> CopySealer::protect(const Target& target, const std::optional<RowId>& row,
                                    bool first, Bytes& out) {
  const auto present = value_of(target, stored_);
  if (!present) return refuse(present.error());
  separate(first, out);
  if (!*present) {
    pgwire::write_copy_null(options(), out);
    for (std::size_t i = 0; i < target.indexes.size(); ++i) {
      separate(false, out);
      pgwire::write_copy_null(options(), out);
    }
    return {};
  }
  const auto write = [&]() -> Status {
    THERIAC_TRY(ciphers_.seal_into(target.column, row, stored_, sealed_value_));
    pgwire::write_copy_bytea(options(), sealed_value_, out);
    for (const auto ordinal : target.indexes) {
      THERIAC_ASSIGN(const auto token, ciphers_.index(target.column, stored_, ordinal));
      separate(false, out);
      pgwire::write_copy_bytea(options(), token, out);
    }
    return {};
  };
  const auto written = write();
  wipe({reinterpret_cast<std::uint8_t*>(stored_.data()), stored_.size()});  // NOLINT
  if (!written) return refuse(report(written.error(), &target.column));
  ++sealed_;
  return {};
}

}  // namespace theriac::gateway
