#include "label/zpl.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "label/limits.hpp"
#include "label/testing.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

/// A printer's view: commands of ^ and two characters, parameters up to the next ^, no ~ at all.
struct Command {
  std::string name, rest;
};
std::vector<Command> commands_of(std::string_view zpl) {
  EXPECT_FALSE(zpl.contains('~'));
  std::vector<Command> out;
  for (std::size_t at = zpl.find('^'); at != std::string_view::npos;) {
    const std::size_t next = zpl.find('^', at + 1);
    std::string rest(zpl.substr(at + 3, next == zpl.npos ? zpl.npos : next - at - 3));
    while (rest.ends_with('\n')) rest.pop_back();
    out.push_back({std::string(zpl.substr(at + 1, 2)), std::move(rest)});
    at = next;
  }
  return out;
}

/// What ^FH\ makes of field data.
std::string unescaped(std::string_view data) {
  std::string out;
  for (std::size_t i = 0; i < data.size(); ++i) {
    unsigned value = 0;
    if (data[i] == '\\' && i + 2 < data.size() &&
        std::from_chars(data.data() + i + 1, data.data() + i + 3, value, 16).ptr ==
            data.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += data[i];
    }
  }
  return out;
}

/// Fields of a label: the command that draws, and its data.
struct Field {
  Command how;
  std::string data;
};
std::vector<Field> fields_of(std::string_view zpl) {
  const auto commands = commands_of(zpl);
  const std::set<std::string> allowed{"XA", "CI", "LH", "PW", "LL", "FO", "FT",
                                      "BX", "BY", "BC", "BQ", "GF", "GB", "GD",
                                      "A0", "A@", "FH", "FD", "FS", "PQ", "XZ"};
  EXPECT_EQ(commands.front().name, "XA");
  EXPECT_EQ(commands.back().name, "XZ");
  std::vector<Field> out;
  Command how;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Command& command = commands[i];
    EXPECT_TRUE(allowed.contains(command.name)) << command.name;
    if (i > 0 && i + 1 < commands.size()) EXPECT_FALSE(command.name.starts_with('X'));
    if (command.name == "FD") {
      EXPECT_EQ(commands[i - 1].name, "FH");
      EXPECT_EQ(commands[i - 1].rest, "\\");
      EXPECT_EQ(commands[i + 1].name, "FS");
      out.push_back({how, unescaped(command.rest)});
    } else if (command.name == "GF") {
      out.push_back({command, command.rest});
    } else if (command.name != "FH") {
      how = command;
    }
  }
  return out;
}

/// ^BX with _ as escape character.
std::string data_matrix_content(std::string_view data) {
  EXPECT_TRUE(data.starts_with("_1"));
  std::string out;
  for (std::size_t i = 2; i < data.size(); ++i) {
    if (data[i] != '_') {
      out += data[i];
      continue;
    }
    ++i;
    EXPECT_TRUE(i < data.size() && (data[i] == '_' || data[i] == '1'));
    out += data[i] == '1' ? '\x1d' : '_';
  }
  return out;
}

/// ^BC in mode N; `codewords` counts symbol characters with start, without check and stop.
std::string code_128_content(std::string_view data, int& codewords) {
  bool pairs = data.starts_with(">;");
  EXPECT_TRUE(pairs || data.starts_with(">:"));
  EXPECT_EQ(data.substr(2, 2), ">8");
  codewords = 2;
  std::string out;
  for (std::size_t i = 4; i < data.size(); ++codewords) {
    if (data[i] == '>') {
      const char sign = data.at(i + 1);
      if (sign == '8')
        out += '\x1d';
      else if (sign == '5')
        pairs = true;
      else if (sign == '6')
        pairs = false;
      else if (sign == '0')
        out += '>';
      else
        ADD_FAILURE() << sign;
      i += 2;
    } else {
      out += data.substr(i, pairs ? 2 : 1);
      i += pairs ? 2 : 1;
    }
  }
  return out;
}

Picture picture_in(std::string_view data) {
  int bytes = 0;
  int same = 0;
  int row = 0;
  const auto number = [&](int& value) {
    const auto end = std::from_chars(data.data(), data.data() + data.size(), value).ptr;
    data.remove_prefix(static_cast<std::size_t>(end - data.data()) + 1);
  };
  EXPECT_TRUE(data.starts_with("A,"));
  data.remove_prefix(2);
  number(bytes), number(same), number(row);
  EXPECT_EQ(bytes, same);
  const auto bits = from_hex(data);
  EXPECT_TRUE(bits && std::cmp_equal(bits->size(), bytes));
  const int white = 40;  // quiet zone
  Picture out{row * 8 + 2 * white, bytes / row + 2 * white, {}};
  for (int y = -white; y < bytes / row + white; ++y) {
    for (int x = -white; x < row * 8 + white; ++x) {
      const bool inside = x >= 0 && y >= 0 && x < row * 8 && y < bytes / row;
      const bool dark = inside && (((*bits)[static_cast<std::size_t>(y * row + x / 8)] >>
                                    (7U - static_cast<unsigned>(x % 8))) &
                                   1U) != 0;
      out.pixels.push_back(dark ? 0 : 255);
    }
  }
  return out;
}

const Printer kPrinter{8, 3, "E:SIMSUN.TTF"};

TEST(Zpl, EveryCarrierReadsBack) {
  for (const std::string_view bracketed :
       {kMedicine, kDeviceText, std::string_view("(01)09504000059101(10)A_1>B"),
        std::string_view("(00)395040000591000019")}) {
    for (const Carrier carrier :
         {Carrier::kDataMatrix, Carrier::kGs1128, Carrier::kQrLink, Carrier::kGs1Qr}) {
      const auto elements = elements_of(bracketed);
      if (carrier == Carrier::kGs1128 && gs1::raw(elements).size() > 48) continue;
      const auto made = label_of(bracketed, carrier, TextForm::kDevice, grid_of(kPrinter));
      const auto text = zpl(made.drawing, kPrinter);
      ASSERT_TRUE(text) << text.error().message();
      const auto fields = fields_of(*text);
      ASSERT_FALSE(fields.empty());
      const Field& field = fields.front();
      const Symbol& symbol = made.drawing.symbols[0].symbol;
      int codewords = 0;
      switch (carrier) {
        case Carrier::kDataMatrix:
          EXPECT_EQ(field.how.name, "BX");
          EXPECT_EQ(field.how.rest, fmt::format("N,3,200,{0},{0},,_", symbol.columns()));
          EXPECT_EQ(data_matrix_content(field.data), symbol.content());
          break;
        case Carrier::kGs1128:
          EXPECT_EQ(field.how.name, "BC");
          EXPECT_EQ(code_128_content(field.data, codewords), symbol.content());
          EXPECT_LE(11 * (codewords + 1) + 13, symbol.columns());  // with check and stop
          break;
        case Carrier::kQrLink:
          EXPECT_EQ(field.how.name, "BQ");
          EXPECT_EQ(field.data, "MA," + symbol.content());
          break;
        case Carrier::kGs1Qr:
          EXPECT_EQ(field.how.name, "GF");
          EXPECT_EQ(decode(picture_in(field.data)), scanned(made.elements, symbol));
          break;
      }
      EXPECT_TRUE(text->contains("^CI28\n"));
      EXPECT_TRUE(text->contains("^PW1040\n^LL400\n"));
      EXPECT_TRUE(text->ends_with("^PQ3\n^XZ\n"));
    }
  }
}

TEST(Zpl, TextsOfUsersStayTexts) {
  for (const std::string& hostile : hostile_texts()) {
    Drawing drawing{40, 20, {}, {}, {}};
    drawing.texts.push_back({hostile, {1, 5}, 2.5, false});
    const auto text = zpl(drawing, kPrinter);
    ASSERT_TRUE(text);
    const auto fields = fields_of(*text);
    ASSERT_EQ(fields.size(), 1U) << hostile;
    EXPECT_EQ(fields[0].data, hostile);
  }
}

TEST(Zpl, AnyTextStaysInItsField) {
  EXPECT_TRUE(rc::check("printable ASCII and Latin-1", [] {
    const auto letters = *rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f'));
    RC_PRE(!letters.empty() && letters.size() <= kLineBytesMax);
    Drawing drawing{40, 20, {}, {}, {}};
    drawing.texts.push_back({letters + "ß", {1, 5}, 2.5, false});
    const auto fields = fields_of(zpl(drawing, kPrinter).value());
    RC_ASSERT(fields.size() == 1U);
    RC_ASSERT(fields[0].data == letters + "ß");
  }));
}

TEST(Zpl, AnyGs1128IsAsWideAsItWasLaidOut) {
  EXPECT_TRUE(rc::check("digits and letters in any order", [] {
    const auto lot = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("01289A>b")));
    RC_PRE(!lot.empty() && lot.size() <= 20);
    const gs1::ElementString elements({{"01", "09504000059101"}, {"10", lot}, {"21", "12A"}});
    const auto symbol = make_symbol(elements, Carrier::kGs1128).value();
    Drawing drawing{150, 30, {{symbol, {10, 5}, 0.25, 13}}, {}, {}};
    int codewords = 0;
    const auto fields = fields_of(zpl(drawing, kPrinter).value());
    RC_ASSERT(code_128_content(fields.at(0).data, codewords) == symbol.content());
    RC_ASSERT(11 * (codewords + 1) + 13 <= symbol.columns());
  }));
}

TEST(Zpl, ChineseNeedsAFontOnThePrinter) {
  Drawing drawing{40, 20, {}, {}, {}};
  drawing.texts.push_back({"药品", {1, 5}, 2.5, false});
  EXPECT_EQ(code_of(zpl(drawing, {})), Code::kUnsupported);
  const auto text = zpl(drawing, kPrinter);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->contains("^A@N,20,20,E:SIMSUN.TTF^FH\\^FD药品^FS"));
}

TEST(Zpl, RefusesWhatAPrinterCannot) {
  const Drawing drawing{40, 20, {}, {}, {}};
  const auto code = [&](Printer printer) { return code_of(zpl(drawing, printer)); };
  for (const int dots : {6, 8, 12, 24}) EXPECT_TRUE(zpl(drawing, {dots, 1, ""}));
  for (const int dots : {0, -8, 7, 25}) EXPECT_EQ(code({dots, 1, ""}), Code::kOutOfRange);
  EXPECT_EQ(code({8, 0, ""}), Code::kOutOfRange);
  EXPECT_EQ(code({8, kPrintQuantityMax, ""}), Code::kInternal);
  EXPECT_EQ(code({8, kPrintQuantityMax + 1, ""}), Code::kOutOfRange);
  for (const char* name : {"E:", "E", "e:a.ttf", "E:A^XZ", "E:A,B", "E:ABCDEFGHIJKLMNOP.TTF"}) {
    EXPECT_EQ(code({8, 1, name}), Code::kOutOfRange) << name;
  }
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  const auto with = [&](double x_mm) {
    return code_of(zpl({40, 20, {{symbol, {2, 2}, x_mm, 0}}, {}, {}}, {}));
  };
  EXPECT_EQ(with(0.125), Code::kInternal);
  EXPECT_EQ(with(1.25), Code::kInternal);
  EXPECT_EQ(with(1.375), Code::kOutOfRange);
  EXPECT_EQ(with(0.38), Code::kOutOfRange);
  EXPECT_EQ(with(0.01), Code::kOutOfRange);
}

}  // namespace
}  // namespace theriac::label
