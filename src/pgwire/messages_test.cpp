#include "pgwire/messages.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <stdexcept>

namespace theriac::pgwire {
namespace {

Bytes raw(std::initializer_list<int> bytes) {
  Bytes made;
  for (const int byte : bytes) made.push_back(static_cast<std::uint8_t>(byte));
  return made;
}
Bytes joined(std::string_view a, const Bytes& b) {
  auto made = bytes_of(a);
  append(made, b);
  return made;
}
using namespace std::string_literals;

/// The body of the only message in `bytes`.
Bytes body_of(const Bytes& bytes, char tag) {
  const auto frame = cut_message(bytes, kMessageBytesMax);
  EXPECT_TRUE(frame && frame->has_value());
  EXPECT_EQ((*frame)->tag, tag);
  EXPECT_EQ((*frame)->raw.size(), bytes.size());
  return {(*frame)->body.begin(), (*frame)->body.end()};
}

/// Every shorter body, and one longer by a byte, must be refused.
template <typename Read>
void expect_exact(const Bytes& body, Read read) {
  EXPECT_TRUE(read(ByteView(body)));
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto result = read(ByteView(body).first(size));
    ASSERT_FALSE(result) << "accepted " << size << " of " << body.size();
    EXPECT_EQ(result.error().code, Code::kProtocol);
  }
  for (const int more : {0, 1, 255}) {
    auto longer = body;
    longer.push_back(static_cast<std::uint8_t>(more));
    const auto result = read(ByteView(longer));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kProtocol);
  }
}

// --- framing -------------------------------------------------------------------------------------

TEST(CutMessage, WaitsForTheWholeMessageAtEverySplit) {
  Bytes stream;
  write_query(stream, "select 1");
  write_sync(stream);
  for (std::size_t size = 0; size < stream.size() - 5; ++size) {
    const auto frame = cut_message(ByteView(stream).first(size), kMessageBytesMax);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->has_value(), size >= stream.size() - 5);
  }
  const auto first = cut_message(stream, kMessageBytesMax);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->tag, 'Q');
  EXPECT_EQ(text_of((*first)->body), "select 1\0"s);
  const auto second = cut_message(ByteView(stream).subspan((*first)->raw.size()), 0);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->tag, 'S');
  EXPECT_TRUE((*second)->body.empty());
}

TEST(CutMessage, RefusesLengthsAsSoonAsTheyAreThere) {
  for (const int length : {0, 1, 2, 3}) {
    const auto frame = cut_message(raw({'Q', 0, 0, 0, length}), 100);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Code::kProtocol);
  }
  const auto at_limit = cut_message(raw({'Q', 0, 0, 0, 104}), 100);
  ASSERT_TRUE(at_limit);
  EXPECT_FALSE(at_limit->has_value());
  const auto beyond = cut_message(raw({'Q', 0, 0, 0, 105}), 100);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::kTooLarge);
  // Negative lengths are large ones.
  const auto negative = cut_message(raw({'Q', 255, 255, 255, 255}), kMessageBytesMax);
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().code, Code::kTooLarge);
}

// --- start-up ------------------------------------------------------------------------------------

TEST(CutStartup, KeepsParametersInOrderAndFindsTheLast) {
  StartupMessage message;
  message.minor = 2;
  message.parameters = {{"user", "a"}, {"database", ""}, {"user", "b"}, {"options", "-c x=1"}};
  Bytes bytes;
  write_startup(bytes, message);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = cut_startup(ByteView(bytes).first(size));
    ASSERT_TRUE(cut);
    EXPECT_FALSE(cut->has_value());
  }
  auto stream = bytes;
  stream.push_back('p');  // what follows is the next reader's business
  const auto cut = cut_startup(stream);
  ASSERT_TRUE(cut && *cut);
  EXPECT_EQ((*cut)->kind, StartupKind::kStartup);
  EXPECT_EQ((*cut)->size, bytes.size());
  EXPECT_EQ((*cut)->message.minor, 2);
  ASSERT_EQ((*cut)->message.parameters.size(), 4U);
  EXPECT_EQ((*cut)->message.parameters[0].value, "a");
  EXPECT_EQ(*(*cut)->message.find("user"), "b");
  EXPECT_EQ(*(*cut)->message.find("database"), "");
  EXPECT_EQ((*cut)->message.find("absent"), nullptr);
}

TEST(CutStartup, KnowsRequests) {
  Bytes ssl;
  write_ssl_request(ssl);
  EXPECT_EQ(ssl, raw({0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}));
  EXPECT_EQ((*cut_startup(ssl))->kind, StartupKind::kSsl);
  EXPECT_EQ((*cut_startup(raw({0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30})))->kind, StartupKind::kGssEnc);
  Bytes cancel;
  write_cancel(cancel, {77, raw({1, 2, 3, 4})});
  EXPECT_EQ(cancel, raw({0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 77, 1, 2, 3, 4}));
  const auto read = cut_startup(cancel);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->kind, StartupKind::kCancel);
  EXPECT_EQ((*read)->cancel.process_id, 77U);
  EXPECT_EQ((*read)->cancel.secret_key, raw({1, 2, 3, 4}));
}

TEST(CutStartup, LimitsTheCancelKey) {
  for (const std::size_t size : {0U, 3U, 4U, 256U, 257U}) {
    Bytes cancel;
    write_cancel(cancel, {1, Bytes(size, 9)});
    const auto read = cut_startup(cancel);
    EXPECT_EQ(read.has_value(), size >= 4 && size <= 256) << size;
    if (!read) {
      EXPECT_EQ(read.error().code, Code::kProtocol);
    }
  }
}

Bytes startup_with(const Bytes& body) {
  Bytes packet;
  append_be(packet, static_cast<std::uint32_t>(body.size() + 4));
  append(packet, body);
  return packet;
}

TEST(CutStartup, RefusesWhatPostgresqlRefuses) {
  const auto version = raw({0, 3, 0, 0});
  const auto refused = [&](const Bytes& body) {
    const auto cut = cut_startup(startup_with(body));
    return !cut && cut.error().code == Code::kProtocol;
  };
  const auto with = [&](std::string_view rest) {
    auto body = version;
    append(body, rest);
    return body;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(version));                // no terminator
  EXPECT_FALSE(refused(with("\0"s)));           // empty list
  EXPECT_TRUE(refused(with("user\0a\0"s)));     // no terminator
  EXPECT_TRUE(refused(with("user\0"s)));        // no value
  EXPECT_TRUE(refused(with("user\0a\0\0x"s)));  // something behind it
  EXPECT_TRUE(refused(with("user"s)));
  EXPECT_TRUE(refused(raw({0, 2, 0, 0, 0})));  // protocol 2
  EXPECT_TRUE(refused(raw({0, 4, 0, 0, 0})));
  EXPECT_FALSE(refused(raw({0, 3, 0xff, 0xff, 0})));       // any minor
  EXPECT_TRUE(refused(raw({0x04, 0xd2, 0x16, 0x2f, 0})));  // SSLRequest with a tail
  EXPECT_TRUE(refused(raw({0x04, 0xd2, 0x16, 0x31, 0})));  // unknown request
}

TEST(CutStartup, LimitsItsLength) {
  auto body = raw({0, 3, 0, 0});
  append(body, "a\0"s);
  body.resize(kStartupBytesMax - 2, 'x');
  body.push_back(0);
  body.push_back(0);
  EXPECT_TRUE(cut_startup(startup_with(body)));
  body.push_back(0);
  const auto beyond = cut_startup(ByteView(startup_with(body)).first(4));
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::kTooLarge);
  // A TLS or HTTP client that found the wrong port.
  EXPECT_FALSE(cut_startup(bytes_of("GET / HTTP/1.1\r\n")));
  EXPECT_FALSE(cut_startup(raw({0x16, 0x03, 0x01, 0x02})));
  for (const int length : {0, 4, 7}) EXPECT_FALSE(cut_startup(raw({0, 0, 0, length})));
}

// --- reading -------------------------------------------------------------------------------------

TEST(ReadParse, IsExact) {
  const auto body = joined("s1\0select $1\0"s, raw({0, 2, 0, 0, 0, 23, 0, 0, 0, 0}));
  const auto parse = read_parse(body);
  ASSERT_TRUE(parse);
  EXPECT_EQ(parse->statement, "s1");
  EXPECT_EQ(parse->sql, "select $1");
  EXPECT_EQ(parse->parameter_types, (std::vector<std::uint32_t>{23, 0}));
  expect_exact(body, read_parse);
}

TEST(ReadParse, TakesAsManyParametersAsPostgresqlDoes) {
  Bytes message;
  write_parse(message, "", "x", std::vector<std::uint32_t>(65'535, 25));
  const auto parse = read_parse(body_of(message, 'P'));
  ASSERT_TRUE(parse);
  EXPECT_EQ(parse->parameter_types.size(), 65'535U);
  EXPECT_FALSE(read_parse(joined("\0\0"s, raw({0xff, 0xff, 0, 0, 0, 1}))));
}

TEST(ReadBind, IsExact) {
  Bind bind;
  bind.portal = "p";
  bind.statement = "s";
  bind.parameter_formats = {0, 1};
  const auto value = bytes_of("\0ab"s);
  bind.parameters = {{false, value}, {true, {}}};
  bind.result_formats = {1};
  Bytes message;
  write_bind(message, bind);
  const auto body = body_of(message, 'B');
  const auto read = read_bind(body);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->portal, "p");
  EXPECT_EQ(read->statement, "s");
  ASSERT_EQ(read->parameters.size(), 2U);
  EXPECT_EQ(text_of(read->parameters[0].value), "\0ab"s);
  EXPECT_TRUE(read->parameters[1].is_null);
  EXPECT_EQ(read->parameter_format(0), 0);
  EXPECT_EQ(read->parameter_format(1), 1);
  EXPECT_EQ(read->result_formats, (std::vector<std::int16_t>{1}));
  expect_exact(body, read_bind);
}

TEST(ReadBind, OneFormatStandsForAllAndNoneForText) {
  const auto two_values = raw({0, 2, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0});
  const auto bound = [&](const Bytes& formats) {
    auto body = raw({0, 0});
    append(body, formats);
    append(body, two_values);
    return body;
  };
  const auto none = bound(raw({0, 0})), one = bound(raw({0, 1, 0, 1})),
             two = bound(raw({0, 2, 0, 0, 0, 1})), three = bound(raw({0, 3, 0, 0, 0, 1, 0, 1}));
  EXPECT_EQ(read_bind(none)->parameter_format(1), 0);
  EXPECT_EQ(read_bind(one)->parameter_format(1), 1);
  EXPECT_EQ(read_bind(two)->parameter_format(1), 1);
  EXPECT_FALSE(read_bind(three));
}

TEST(ReadBind, RefusesLengthsBelowNull) {
  const auto body = raw({0, 0, 0, 0, 0, 1, 255, 255, 255, 254, 0, 0});
  EXPECT_FALSE(read_bind(body));
  EXPECT_FALSE(read_bind(raw({0, 0, 0, 0, 0, 1, 0x7f, 255, 255, 255, 0, 0})));
}

TEST(ReadTarget, KnowsTwoKinds) {
  expect_exact(bytes_of("Sname\0"s), read_target);
  expect_exact(bytes_of("P\0"s), read_target);
  EXPECT_EQ(read_target(bytes_of("Sname\0"s))->name, "name");
  EXPECT_FALSE(read_target(bytes_of("Xname\0"s)));
}

TEST(ReadOthers, AreExact) {
  expect_exact(joined("p\0"s, raw({0, 0, 0, 5})), read_execute);
  EXPECT_EQ(read_execute(joined("p\0"s, raw({0xff, 0xff, 0xff, 0xff})))->rows_max, -1);
  expect_exact(bytes_of("select 1\0"s), read_query);
  EXPECT_FALSE(read_query(bytes_of("select 1\0; drop\0"s)));
  expect_exact(bytes_of("TimeZone\0UTC\0"s), read_parameter_status);
  expect_exact(raw({0, 1, 0, 0, 0, 25}), read_parameter_description);
  expect_exact(
      joined("\0\1a\0"s, raw({0, 0, 0, 1, 0, 2, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 1})),
      read_row_description);
  std::vector<DataColumn> columns;
  expect_exact(raw({0, 2, 255, 255, 255, 255, 0, 0, 0, 1, 'x'}),
               [&](ByteView body) { return read_data_row(body, columns); });
}

TEST(ReadNotice, IsTolerant) {
  const auto body = bytes_of("SERROR\0C42601\0Mbad\0\0"s);
  const auto fields = read_notice(body);
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[1].code, 'C');
  EXPECT_EQ(fields[1].text, "42601");
  EXPECT_EQ(read_notice(bytes_of("SERROR\0Mbad"s)).size(), 2U);
  EXPECT_EQ(read_notice(bytes_of("S"s)).size(), 1U);
  EXPECT_TRUE(read_notice({}).empty());
}

// --- writing -------------------------------------------------------------------------------------

TEST(Write, RefusesWhatWouldBreakTheFraming) {
  Bytes out;
  EXPECT_THROW(write_query(out, "select '\0'"s), std::invalid_argument);
  EXPECT_THROW(write_parse(out, "", "x", std::vector<std::uint32_t>(65'536)), std::length_error);
  StartupMessage message;
  message.parameters = {{"", "x"}};
  EXPECT_THROW(write_startup(out, message), std::invalid_argument);
}

TEST(WriteError, NamesCodeMessageAndRemedy) {
  Bytes out;
  auto report = report_of({Code::kTooLong, "column customers.phone"});
  report.message += '\0';
  report.message += "hidden";
  write_error(out, report);
  const auto body = body_of(out, 'E');
  const auto fields = read_notice(body);
  ASSERT_EQ(fields.size(), 5U);
  EXPECT_EQ(fields[0].text, "ERROR");
  EXPECT_EQ(fields[1].code, 'V');
  EXPECT_EQ(fields[2].text, "22001");
  EXPECT_EQ(fields[3].text, "a text is longer than its column allows (column customers.phone)");
  EXPECT_EQ(fields[4].code, 'H');
  EXPECT_EQ(body.back(), 0);
}

// --- properties ----------------------------------------------------------------------------------

std::string any_text() {
  return *rc::gen::container<std::string>(
      rc::gen::suchThat(rc::gen::arbitrary<char>(), [](char c) { return c != '\0'; }));
}

RC_GTEST_PROP(RoundTrip, Parse, (const std::vector<std::uint32_t>& types)) {
  const auto statement = any_text(), sql = any_text();
  Bytes out;
  write_parse(out, statement, sql, types);
  const auto frame = *cut_message(out, kMessageBytesMax);
  const auto parse = read_parse(frame->body);
  RC_ASSERT(parse.has_value());
  RC_ASSERT(parse->statement == statement);
  RC_ASSERT(parse->sql == sql);
  RC_ASSERT(parse->parameter_types == types);
}

RC_GTEST_PROP(RoundTrip, Bind, (const std::vector<Bytes>& values, std::int16_t format, bool each)) {
  const auto portal = any_text();
  Bind bind;
  bind.portal = portal;
  for (const auto& value : values) bind.parameters.push_back({value.size() % 3 == 1, value});
  bind.parameter_formats.assign(each ? values.size() : 1, format);
  bind.result_formats.assign(values.size() % 3, 1);
  Bytes out;
  write_bind(out, bind);
  const auto frame = *cut_message(out, kMessageBytesMax);
  const auto read = read_bind(frame->body);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->portal == portal);
  RC_ASSERT(read->parameters.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    RC_ASSERT(read->parameters[i].is_null == (values[i].size() % 3 == 1));
    RC_ASSERT(read->parameters[i].is_null ||
              std::equal(values[i].begin(), values[i].end(), read->parameters[i].value.begin(),
                         read->parameters[i].value.end()));
    RC_ASSERT(read->parameter_format(i) == format);
  }
  RC_ASSERT(read->result_formats == bind.result_formats);
}

RC_GTEST_PROP(RoundTrip, DataRowIntoAReusedVector, (const std::vector<Bytes>& values)) {
  std::vector<DataColumn> columns;
  for (const auto& value : values) columns.push_back({value.empty(), value});
  Bytes out;
  write_data_row(out, columns);
  std::vector<DataColumn> read(7);
  RC_ASSERT(read_data_row((*cut_message(out, kMessageBytesMax))->body, read).has_value());
  Bytes again;
  write_data_row(again, read);
  RC_ASSERT(again == out);
}

RC_GTEST_PROP(RoundTrip, RowDescription, (std::uint32_t oid, std::int16_t attribute)) {
  FieldDescription field;
  field.name = any_text();
  field.table_oid = oid;
  field.attribute = attribute;
  field.type_oid = ~oid;
  field.type_size = -1;
  field.format = 1;
  Bytes out;
  write_row_description(out, std::vector{field, field});
  const auto read = read_row_description((*cut_message(out, kMessageBytesMax))->body);
  RC_ASSERT(read.has_value() && read->size() == 2);
  Bytes again;
  write_row_description(again, *read);
  RC_ASSERT(again == out);
}

RC_GTEST_PROP(RoundTrip, Startup, (std::uint16_t minor)) {
  StartupMessage message;
  message.minor = minor;
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    message.parameters.push_back({"n" + any_text().substr(0, 200), any_text().substr(0, 200)});
  }
  Bytes out;
  write_startup(out, message);
  const auto read = cut_startup(out);
  RC_ASSERT(read.has_value() && read->has_value());
  Bytes again;
  write_startup(again, (*read)->message);
  RC_ASSERT(again == out);
}

}  // namespace
}  // namespace theriac::pgwire
