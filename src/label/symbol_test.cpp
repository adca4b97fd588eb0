#include "label/symbol.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "label/limits.hpp"
#include "label/testing.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

/// As `zint --dump` writes: hexadecimal, four modules a digit, rows ended by '/'.
std::string dump(const Symbol& symbol) {
  std::string out;
  for (int row = 0; row < symbol.rows(); ++row) {
    for (int column = 0; column < symbol.columns(); column += 4) {
      int digit = 0;
      for (int i = 0; i < 4; ++i) digit = 2 * digit + (symbol.dark(column + i, row) ? 1 : 0);
      out += "0123456789ABCDEF"[digit];
    }
    out += '/';
  }
  return out;
}

TEST(Symbol, ModulesAreThoseOfTheZintProgram) {
  const auto elements = elements_of("(01)09504000059101(17)271231(10)ABC123(21)12345678");
  const auto matrix = make_symbol(elements, Carrier::kDataMatrix);
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->columns(), 22);
  EXPECT_EQ(dump(*matrix),
            "AAAAA8/CF5044/8A4548/BB1174/E45600/85815C/93A520/9535FC/E8CBF0/CF78C4/8E73A8/"
            "BAECD4/E15058/D43194/B84548/B9E15C/CA7088/C03D14/F742D8/AF4154/D86658/FFFFFC/");
  const auto bars = make_symbol(elements_of("(01)09504000059101(10)ABC123"), Carrier::kGs1128);
  ASSERT_TRUE(bars);
  EXPECT_EQ(dump(*bars), "D39EBB36648C5D8A36644CF6D9B3225EEA31162234E6CE59728663AC/");
}

TEST(Symbol, EveryCarrierReadsBackAsScanned) {
  for (const std::string_view text :
       {kMedicine, kDeviceText, std::string_view("(00)395040000591000019"),
        std::string_view("(01)09504000059101(10)A.B/C+D(21)a_b<c>d\"'&")}) {
    const auto elements = elements_of(text);
    for (const Carrier carrier : {Carrier::kDataMatrix, Carrier::kGs1128, Carrier::kGs1Qr}) {
      const auto symbol = make_symbol(elements, carrier);
      if (carrier == Carrier::kGs1128 && gs1::raw(elements).size() > kGs1128CharactersMax) {
        EXPECT_EQ(code_of(symbol), Code::kTooLarge);
        continue;
      }
      ASSERT_TRUE(symbol) << text;
      EXPECT_EQ(symbol->content(), gs1::raw(elements));
      EXPECT_EQ(decode(picture_of(*symbol, 3)), scanned(elements, *symbol)) << text;
    }
  }
}

TEST(Symbol, LinkReadsBackAtEveryLevel) {
  const auto elements = elements_of(kMedicine);
  int before = 0;
  for (const QrLevel level : {QrLevel::kM, QrLevel::kQ, QrLevel::kH}) {
    SymbolOptions options;
    options.level = level;
    options.link_stem = "https://theriac.example/x";
    const auto symbol = make_symbol(elements, Carrier::kQrLink, options);
    ASSERT_TRUE(symbol);
    EXPECT_TRUE(symbol->content().starts_with("https://theriac.example/x/01/09504000059101"));
    EXPECT_EQ(decode(picture_of(*symbol, 3)), "]Q1" + symbol->content());
    EXPECT_GE(symbol->columns(), before);
    before = symbol->columns();
  }
  EXPECT_EQ(code_of(make_symbol(elements_of("(10)ABC"), Carrier::kQrLink)), Code::kMalformed);
}

TEST(DataMatrix, ShapesAndChosenSizes) {
  const auto elements = elements_of("(01)09504000059101(21)12");
  SymbolOptions options;
  options.shape = MatrixShape::kRectangular;
  const auto flat = make_symbol(elements, Carrier::kDataMatrix, options);
  ASSERT_TRUE(flat);
  EXPECT_LT(flat->rows(), flat->columns());
  EXPECT_EQ(decode(picture_of(*flat, 4)), scanned(elements, *flat));
  // All thirty sizes of ISO/IEC 16022 table 7.
  int made = 0;
  for (const auto& [rows, columns] :
       {std::pair{10, 10}, {12, 12}, {14, 14},   {16, 16},   {18, 18},   {20, 20},
        {22, 22},          {24, 24}, {26, 26},   {32, 32},   {36, 36},   {40, 40},
        {44, 44},          {48, 48}, {52, 52},   {64, 64},   {72, 72},   {80, 80},
        {88, 88},          {96, 96}, {104, 104}, {120, 120}, {132, 132}, {144, 144},
        {8, 18},           {8, 32},  {12, 26},   {12, 36},   {16, 36},   {16, 48}}) {
    options.rows = rows;
    options.columns = columns;
    const auto symbol = make_symbol(elements, Carrier::kDataMatrix, options);
    if (!symbol) {
      EXPECT_EQ(code_of(symbol), Code::kTooLarge);
      EXPECT_LE(rows * columns, 256);  // 8 x 32: ten codewords, one too few
      continue;
    }
    ++made;
    EXPECT_EQ(symbol->rows(), rows);
    EXPECT_EQ(symbol->columns(), columns);
    EXPECT_EQ(decode(picture_of(*symbol, 4)), scanned(elements, *symbol)) << rows << "x" << columns;
  }
  EXPECT_GE(made, 24);
  options.rows = 11;
  EXPECT_EQ(code_of(make_symbol(elements, Carrier::kDataMatrix, options)), Code::kOutOfRange);
}

TEST(DataMatrix, SmallestIsNoLargerThanSquare) {
  for (const std::string_view text :
       {"(10)A", "(01)09504000059101", "(01)09504000059101(10)ABCD12"}) {
    const auto elements = elements_of(text);
    SymbolOptions options;
    const auto square = make_symbol(elements, Carrier::kDataMatrix, options).value();
    options.shape = MatrixShape::kSmallest;
    const auto smallest = make_symbol(elements, Carrier::kDataMatrix, options).value();
    EXPECT_EQ(square.rows(), square.columns());
    EXPECT_LE(smallest.rows() * smallest.columns(), square.rows() * square.columns());
  }
}

TEST(Symbol, LimitsAndOnePast) {
  const std::string head = "(01)09504000059101(21)1234567890(10)";  // 16 + 12 + FNC1 + 2
  EXPECT_TRUE(make_symbol(elements_of(head + std::string(17, 'A')), Carrier::kGs1128));
  EXPECT_EQ(code_of(make_symbol(elements_of(head + std::string(18, 'A')), Carrier::kGs1128)),
            Code::kTooLarge);
  // Rectangular: 16 x 48 holds 49 codewords at most (ISO/IEC 16022 table 7).
  SymbolOptions options;
  options.shape = MatrixShape::kRectangular;
  const auto digits = [](std::size_t count) {
    return gs1::ElementString({{"8200", std::string(count, '1')}});
  };
  EXPECT_TRUE(make_symbol(digits(92), Carrier::kDataMatrix, options));  // FNC1 and 48 pairs
  EXPECT_EQ(code_of(make_symbol(digits(93), Carrier::kDataMatrix, options)), Code::kTooLarge);
  const auto most = digits(kContentBytesMax - 4);
  EXPECT_TRUE(make_symbol(most, Carrier::kDataMatrix));
  EXPECT_EQ(code_of(make_symbol(digits(kContentBytesMax - 3), Carrier::kDataMatrix)),
            Code::kTooLarge);
}

TEST(Symbol, RefusesWhatCannotBeDrawn) {
  const auto refused = [](std::string ai, std::string value) {
    const gs1::ElementString elements({{std::move(ai), std::move(value)}});
    return code_of(make_symbol(elements, Carrier::kDataMatrix)) == Code::kMalformed;
  };
  EXPECT_TRUE(refused("10", ""));
  EXPECT_TRUE(refused("10", "a b"));
  EXPECT_TRUE(refused("10", "a]b"));
  EXPECT_TRUE(refused("10", "[21]x"));
  EXPECT_TRUE(refused("10",
                      "a\x1d"
                      "21b"));
  EXPECT_TRUE(refused("10", "\xc3\xa9"));
  EXPECT_TRUE(refused("1", "a"));
  EXPECT_TRUE(refused("12345", "a"));
  EXPECT_TRUE(refused("1]", "a"));
  EXPECT_FALSE(refused("10", "a"));
  EXPECT_EQ(code_of(make_symbol(gs1::ElementString(), Carrier::kDataMatrix)), Code::kMalformed);
}

/// Serials and lots of the characters of GS1 General Specifications figure 7.11-1.
gs1::ElementString any_pack() {
  const auto text = [] {
    const std::string set =
        "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    std::string out;
    const auto size = *rc::gen::inRange(1, 21);
    for (int i = 0; i < size; ++i) out += *rc::gen::elementOf(set);
    return out;
  };
  std::vector<gs1::Element> elements{{"01", "09504000059101"}, {"21", text()}};
  if (*rc::gen::arbitrary<bool>()) elements.push_back({"10", text()});
  if (*rc::gen::arbitrary<bool>()) elements.push_back({"17", "271231"});
  if (*rc::gen::arbitrary<bool>()) elements.push_back({"240", text()});
  if (*rc::gen::arbitrary<bool>()) std::swap(elements.front(), elements.back());
  return gs1::ElementString(elements);
}

TEST(Symbol, AnyPackReadsBack) {
  EXPECT_TRUE(rc::check("data matrix, QR", [] {
    const auto elements = any_pack();
    const auto matrix = make_symbol(elements, Carrier::kDataMatrix);
    RC_ASSERT(matrix.has_value());
    RC_ASSERT(decode(picture_of(*matrix, 4)) == scanned(elements, *matrix));
    const auto code = make_symbol(elements, Carrier::kGs1Qr);
    RC_ASSERT(code.has_value());
    // zxing-cpp 1.4 loses the rest of an alphanumeric segment behind "%%", which means %.
    if (!code->content().contains('%')) {
      RC_ASSERT(decode(picture_of(*code, 4)) == scanned(elements, *code));
    }
    const auto link = make_symbol(elements, Carrier::kQrLink);
    RC_ASSERT(link.has_value());
    RC_ASSERT(decode(picture_of(*link, 4)) == scanned(elements, *link));
    const auto bars = make_symbol(elements, Carrier::kGs1128);
    RC_ASSERT(bars.has_value() == (gs1::raw(elements).size() <= kGs1128CharactersMax));
    if (bars) RC_ASSERT(decode(picture_of(*bars, 3)) == scanned(elements, *bars));
  }));
}

}  // namespace
}  // namespace theriac::label
