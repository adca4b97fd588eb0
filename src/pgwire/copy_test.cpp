// COPY's formats: every rule with a case of its own; the same at every split; and PostgreSQL's own
// COPY TO against our reader and writer is tests/integration/copy.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "pgwire/copy_encoding.hpp"
#include "pgwire/copy_reader.hpp"

namespace theriac::pgwire {
namespace {

using Next = CopyReader::Next;

CopyOptions text() { return {}; }
CopyOptions csv() {
  CopyOptions made;
  made.format = CopyFormat::kCsv;
  made.delimiter = ',';
  made.null_text = "";
  return made;
}
CopyOptions binary() {
  CopyOptions made;
  made.format = CopyFormat::kBinary;
  return made;
}

/// "a|b/NULL|c" for two rows, with '!' and the error at the end.
std::string read(const CopyOptions& options, std::string_view data, std::size_t columns = 2,
                 std::size_t step = 1'000'000, CopyReader::From from = CopyReader::From::kClient) {
  CopyReader reader(options, columns, from);
  std::string told;
  const auto take = [&] {
    for (;;) {
      const auto next = reader.next();
      if (!next) {
        told += "!" + std::to_string(reader.line()) + " " + next.error().where;
        return false;
      }
      if (*next == Next::kMore) return true;
      if (*next == Next::kEnd && reader.whole().empty()) return true;
      if (*next == Next::kEnd) continue;
      if (!told.empty()) told += "/";
      if (*next == Next::kHeader) told += "#";
      if (const auto split = reader.split(columns); !split) {
        told += "!" + std::to_string(reader.line()) + " " + split.error().where;
        return false;
      }
      bool first = true;
      for (const auto& field : reader.fields()) {
        if (!first) told += "|";
        first = false;
        Bytes value;
        copy_value(options, field, value);
        told += field.is_null ? "NULL" : std::string(text_of(value));
      }
    }
  };
  for (std::size_t at = 0; at < data.size(); at += step) {
    reader.feed(view_of(data.substr(at, step)));
    if (!take()) return told;
  }
  reader.finish();
  take();
  return told;
}

struct Case {
  CopyOptions options;
  std::string data;
  std::string told;
};

std::vector<Case> cases() {
  auto header = text();
  header.header = CopyHeader::kPresent;
  auto escape = csv();
  escape.escape = '\\';
  auto piped = text();
  piped.delimiter = '|';
  piped.null_text = "x";
  std::string head("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
  const std::string row("\0\2\0\0\0\1a\xff\xff\xff\xff", 11);
  const std::string trailer("\xff\xff");
  auto extended = head;
  extended[18] = 2;
  auto oids = head;
  oids[12] = 1;
  auto critical = head;
  critical[12] = 2;
  auto harmless = head;
  harmless[14] = 1;
  return {
      {text(), "", ""},
      {text(), "a\tb\n", "a|b"},
      {text(), "a\tb", "a|b"},
      {text(), "\n", ""},
      {text(), "a\t\\N\n\\N\tb\n", "a|NULL/NULL|b"},
      {text(), "\\b\\f\\n\\r\\t\\v\t\\q\\\\\n", "\b\f\n\r\t\v|q\\"},
      {text(), "\\101\\60\\7z\t\\x41\\x4\\xg\n",
       "A0\a"
       "z|A\4xg"},
      {text(), "\\400\t\\x\n", std::string("\0|x", 3)},
      {text(), "a\\\nb\tc\\\td\n", "a\nb|c\td"},
      {text(), "a\tb\\", "a|b"},
      {text(), "a\tb\tc\n", "!1 extra data after last expected column"},
      {text(), "a\tb\r\nc\td\r\n", "a|b/c|d"},
      {text(), "a\tb\rc\td\r", "a|b/c|d"},
      {text(), "a\tb\nc\td\r\n", "a|b!2 literal carriage return found in data"},
      {text(), "a\tb\r\nc\td\n", "a|b!2 literal newline found in data"},
      {text(), "a\tb\r\nc\rd\r\n", "a|b!2 literal carriage return found in data"},
      {text(), "a\tb\rc\td\n", "a|b!2 literal newline found in data"},
      {text(), "a\tb\n\\.\nrest", "a|b"},
      {text(), "a\tb\\.\n", "a|b"},
      {text(), "\\.\n", ""},
      {text(), "a\tb\n\\.x\n", "a|b!2 end-of-copy marker corrupt"},
      {text(), "a\tb\n\\.", "a|b!2 end-of-copy marker corrupt"},
      {text(), "a\tb\n\\.\r", "a|b!2 end-of-copy marker does not match previous newline style"},
      {text(), "a\tb\r\n\\.\n", "a|b!2 end-of-copy marker does not match previous newline style"},
      {text(), "a\tb\r\n\\.x", "a|b!2 end-of-copy marker corrupt"},
      {text(), "a\tb\r\n\\.\r\n", "a|b"},
      {text(), "a\tb\r\\.\r", "a|b"},
      {header, "x\ty\na\tb\n", "#x|y/a|b"},
      {header, "", ""},
      {piped, "a\\|b|\\x78\nx|xx\n", "a|b|x/NULL|xx"},
      {csv(), "a,b\n", "a|b"},
      {csv(), "\"a,b\",\"c\"\"d\"\n", "a,b|c\"d"},
      {csv(), "a\"b,c\"d,\n", "ab,cd|NULL"},
      {csv(), ",\"\"\n", "NULL|"},
      {csv(), "\"a\nb\",c\nd,e\n", "a\nb|c/d|e"},
      {csv(), "\"a\r\nb\",c\r\nd,e\r\n", "a\r\nb|c/d|e"},
      {csv(), "x,y\na,\"b\n\nc\n", "x|y/!5 unterminated CSV quoted field"},
      {csv(), "a,b\nc\rd,e\n", "a|b!2 unquoted carriage return found in data"},
      {csv(), "a,b\r\nc,d\n", "a|b!2 unquoted newline found in data"},
      {csv(), "a,b\n\\.\nrest", "a|b"},
      {csv(), "\\.,b\n\\.\\,x\n", "\\.|b/\\.\\|x"},
      {csv(), "a,\\.\n", "a|\\."},
      {csv(), "a,b,\"c\n", "!1 unterminated CSV quoted field"},
      {escape, "\"a\\\"b\\\\\",\"c\\d\"\n", "a\"b\\|c\\d"},
      {escape, "a\\b,\"x\"\"y\"\n", "a\\b|xy"},
      {binary(), head + row + row + trailer, "#/a|NULL/a|NULL"},
      {binary(), head + row, "#/a|NULL"},
      {binary(), head + row + "\0", "#/a|NULL"},
      {binary(), extended + "zz" + row + trailer, "#/a|NULL"},
      {binary(), harmless + trailer, "#"},
      {binary(), head + trailer + "x", "#!1 received copy data after EOF marker"},
      {binary(), "PGCOPZ", "!0 COPY file signature not recognized"},
      {binary(), head.substr(0, 5), "!0 COPY file signature not recognized"},
      {binary(), head.substr(0, 13), "!0 invalid COPY file header (missing flags)"},
      {binary(), head.substr(0, 17), "!0 invalid COPY file header (missing length)"},
      {binary(), extended + "z", "!0 invalid COPY file header (wrong length)"},
      {binary(), oids, "!0 invalid COPY file header (WITH OIDS)"},
      {binary(), critical, "!0 unrecognized critical flags in COPY file header"},
      {binary(), head + std::string("\0\3", 2), "#!1 row field count is 3, expected 2"},
      {binary(), head + row.substr(0, 8), "#!1 unexpected EOF in COPY data"},
      {binary(), head + std::string("\0\2\xff\xff\xff\xfe", 6), "#!1 invalid field size"},
  };
}

TEST(CopyReaderTest, ReadsAsPostgresDoes) {
  for (const auto& one : cases()) EXPECT_EQ(read(one.options, one.data), one.told) << one.data;
}

TEST(CopyReaderTest, ReadsTheSameInPiecesOfAnySize) {
  for (const auto& one : cases()) {
    for (std::size_t step = 1; step <= one.data.size(); ++step) {
      EXPECT_EQ(read(one.options, one.data, 2, step), one.told) << one.data << " by " << step;
    }
  }
}

TEST(CopyReaderTest, TheServersLinesHaveNoMarkers) {
  EXPECT_EQ(read(csv(), "\\.\nx\n", 1, 1, CopyReader::From::kServer), "\\./x");
}

TEST(CopyReaderTest, ARowHasALimit) {
  CopyReader reader(text(), 1, CopyReader::From::kClient);
  reader.feed(Bytes(kCopyRowBytesMax, 'a'));
  EXPECT_EQ(*reader.next(), Next::kMore);
  reader.feed(view_of("a"));
  const auto next = reader.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::kTooLarge);
}

std::string written(const CopyOptions& options, std::string_view value, bool quote = false,
                    bool alone = false) {
  Bytes out;
  write_copy_value(options, view_of(value), quote, alone, out);
  return std::string(text_of(out));
}

TEST(CopyFormatTest, WritesAsPostgresDoes) {
  EXPECT_EQ(written(text(), "a\tb\nc\rd\be\ff\vg\\h|\x01"), "a\\tb\\nc\\rd\\be\\ff\\vg\\\\h|\x01");
  auto piped = text();
  piped.delimiter = '|';
  EXPECT_EQ(written(piped, "a|b\tc"), "a\\|b\\tc");
  auto control = text();
  control.delimiter = '\x01';
  EXPECT_EQ(written(control, "a\x01\x02"), "a\\\x01\x02");
  EXPECT_EQ(written(csv(), "plain text"), "plain text");
  EXPECT_EQ(written(csv(), ""), "\"\"");
  EXPECT_EQ(written(csv(), "a,b"), "\"a,b\"");
  EXPECT_EQ(written(csv(), "a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(written(csv(), "a\rb"), "\"a\rb\"");
  EXPECT_EQ(written(csv(), "\\."), "\\.");
  EXPECT_EQ(written(csv(), "\\.", false, true), "\"\\.\"");
  EXPECT_EQ(written(csv(), "x", true), "\"x\"");
  auto odd = csv();
  odd.null_text = "none";
  odd.quote = '\'';
  odd.escape = '\\';
  EXPECT_EQ(written(odd, "none"), "'none'");
  EXPECT_EQ(written(odd, "it's \\"), "'it\\'s \\\\'");
  EXPECT_EQ(written(odd, "a\\b"), "a\\b");
  EXPECT_EQ(written(binary(), "ab"), std::string("\0\0\0\2ab", 6));
  Bytes null;
  write_copy_null(odd, null);
  EXPECT_EQ(text_of(null), "none");
}

TEST(CopyFormatTest, BytesAreReadBackWhateverTheOptions) {
  const bool held = rc::check([](const Bytes& bytes) {
    const auto place = [](std::string_view from) {
      return from[*rc::gen::inRange<std::size_t>(0, from.size())];
    };
    auto options = *rc::gen::element(text(), csv(), binary());
    if (options.format == CopyFormat::kText) options.delimiter = place("\t|,;A\x01");
    if (options.format == CopyFormat::kCsv) {
      options.delimiter = place(",;0ax\\\t");
      do {
        options.quote = place("\"'|1bx\\");
      } while (options.quote == options.delimiter);
      options.escape = place("\"'2cx\\");
      options.null_text = *rc::gen::element<std::string>("", "\\N", "y");
    }
    Bytes out;
    write_copy_bytea(options, bytes, out);
    const auto size = out.size();
    if (options.format == CopyFormat::kBinary) {
      Bytes expected;
      append_be(expected, static_cast<std::uint32_t>(bytes.size()));
      append(expected, bytes);
      RC_ASSERT(out == expected);
      return;
    }
    out.push_back('\n');
    CopyReader reader(options, 1, CopyReader::From::kServer);
    reader.feed(out);
    RC_ASSERT(*reader.next() == Next::kRow);
    RC_ASSERT(reader.whole().size() == size + 1);
    RC_ASSERT(reader.split(1).has_value());
    RC_ASSERT(!reader.fields().at(0).is_null);
    Bytes value;
    copy_value(options, reader.fields()[0], value);
    RC_ASSERT(text_of(value) == "\\x" + to_hex(bytes));
  });
  EXPECT_TRUE(held);
}

TEST(CopyFormatTest, ValuesAreReadBackInPiecesOfAnySize) {
  const bool held = rc::check([](const std::vector<std::pair<bool, std::string>>& cells) {
    RC_PRE(!cells.empty());
    std::vector<std::optional<std::string>> row;
    for (const auto& [present, value] : cells) {
      row.push_back(present ? std::optional(value) : std::nullopt);
    }
    const auto options = *rc::gen::element(text(), csv());
    Bytes line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line.push_back(static_cast<std::uint8_t>(options.delimiter));
      if (row[i]) {
        write_copy_value(options, view_of(*row[i]), false, row.size() == 1, line);
      } else {
        write_copy_null(options, line);
      }
    }
    line.push_back('\n');
    CopyReader reader(options, row.size(), CopyReader::From::kServer);
    const auto step = *rc::gen::inRange<std::size_t>(1, 9);
    for (std::size_t at = 0; at < line.size(); at += step) {
      const auto piece = ByteView(line).subspan(at, std::min(step, line.size() - at));
      reader.feed(piece);
      if (at + step < line.size()) RC_ASSERT(*reader.next() == Next::kMore);
    }
    RC_ASSERT(*reader.next() == Next::kRow);
    RC_ASSERT(reader.split(row.size()).has_value());
    RC_ASSERT(reader.fields().size() == row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      RC_ASSERT(reader.fields()[i].is_null == !row[i].has_value());
      if (!row[i]) continue;
      Bytes value;
      copy_value(options, reader.fields()[i], value);
      RC_ASSERT(text_of(value) == *row[i]);
    }
  });
  EXPECT_TRUE(held);
}

TEST(CopyEncodingTest, KnowsPostgresNames) {
  EXPECT_EQ(encoding_kind("UTF-8"), EncodingKind::kSame);
  EXPECT_EQ(encoding_kind("sql_ascii"), EncodingKind::kSame);
  EXPECT_EQ(encoding_kind("Gb18030"), EncodingKind::kConverted);
  EXPECT_EQ(encoding_kind("MULE_INTERNAL"), EncodingKind::kUnconverted);
  EXPECT_EQ(encoding_kind("BIG5"), EncodingKind::kConverted);
  EXPECT_EQ(encoding_kind("EUC_TW"), EncodingKind::kUnconverted);
  EXPECT_EQ(encoding_kind("latin11"), EncodingKind::kUnknown);
  EXPECT_EQ(encoding_kind(""), EncodingKind::kUnknown);
}

TEST(CopyEncodingTest, ConvertsAtEverySplit) {
  const std::string gbk = "a\xd5\xc5\xce\xb0|\xb6\xad\n";
  const std::string utf8 = "a\u5f20\u4f1f|\u8463\n";
  for (std::size_t step = 1; step <= utf8.size(); ++step) {
    auto to = *CopyTranscoder::to_utf8("GBK");
    auto from = *CopyTranscoder::from_utf8("GBK");
    Bytes read;
    Bytes made;
    for (std::size_t at = 0; at < gbk.size(); at += step) {
      ASSERT_TRUE(to.convert(view_of(gbk).subspan(at, std::min(step, gbk.size() - at)), read));
    }
    for (std::size_t at = 0; at < utf8.size(); at += step) {
      ASSERT_TRUE(from.convert(view_of(utf8).subspan(at, std::min(step, utf8.size() - at)), made));
    }
    ASSERT_TRUE(to.finish(read));
    ASSERT_TRUE(from.finish(made));
    EXPECT_EQ(text_of(read), utf8);
    EXPECT_EQ(text_of(made), gbk);
  }
}

TEST(CopyEncodingTest, RefusesWhatTwoEditionsOfGb18030MapInTwoWays) {
  Bytes out;
  auto to = *CopyTranscoder::to_utf8("GB18030");
  EXPECT_TRUE(to.convert(view_of("\xd5\xc5"), out));
  EXPECT_EQ(to.convert(view_of("\xa8\xbc"), out).error().code, Code::kBadEncoding);
  EXPECT_EQ(text_of(out), "\u5f20");
  auto from = *CopyTranscoder::from_utf8("GB18030");
  EXPECT_TRUE(from.convert(view_of("\u5f20\U0001f600"), out));
  for (const auto* text : {"\u1e3f", "\u9fb4", "\ue7c7", "\ufe10", "\U00020087"}) {
    EXPECT_EQ(from.convert(view_of(text), out).error().code, Code::kBadEncoding);
    from = *CopyTranscoder::from_utf8("GB18030");
  }
}

TEST(CopyEncodingTest, RefusesWhatIsNoCharacter) {
  Bytes out;
  EXPECT_EQ(CopyTranscoder::to_utf8("GBK")->convert(view_of("\xff\xff"), out).error().code,
            Code::kBadEncoding);
  EXPECT_EQ(CopyTranscoder::from_utf8("LATIN1")->convert(view_of("\u5f20"), out).error().code,
            Code::kBadEncoding);
  auto cut = *CopyTranscoder::to_utf8("GBK");
  ASSERT_TRUE(cut.convert(view_of("\xd5"), out));
  EXPECT_EQ(cut.finish(out).error().code, Code::kBadEncoding);
}

}  // namespace
}  // namespace theriac::pgwire
