#include "label/symbol.hpp"

#include <zint.h>

#include <algorithm>
#include <array>
#include <memory>

#include "label/limits.hpp"

namespace theriac::label {

namespace {

struct Delete {
  void operator()(zint_symbol* symbol) const { ZBarcode_Delete(symbol); }
};
using Zint = std::unique_ptr<zint_symbol, Delete>;

struct MatrixSize {
  int rows, columns;
};
/// ISO/IEC 16022 table 7 in zint's numbering, from 1; the last six are rectangular, by capacity.
constexpr std::array<MatrixSize, 30> kMatrixSizes{
    {{10, 10}, {12, 12}, {14, 14}, {16, 16}, {18, 18},   {20, 20},   {22, 22},   {24, 24},
     {26, 26}, {32, 32}, {36, 36}, {40, 40}, {44, 44},   {48, 48},   {52, 52},   {64, 64},
     {72, 72}, {80, 80}, {88, 88}, {96, 96}, {104, 104}, {120, 120}, {132, 132}, {144, 144},
     {8, 18},  {8, 32},  {12, 26}, {12, 36}, {16, 36},   {16, 48}}};
constexpr int kRectangularFirst = 25;

/// GS1 General Specifications figure 7.8.5-2: AIs that begin with these digits need no FNC1.
bool predefined_length(std::string_view ai) {
  constexpr std::string_view kPairs =
      "00 01 02 03 04 11 12 13 14 15 16 17 18 19 20 31 32 33 34 35 36 41";
  return kPairs.find(ai.substr(0, 2)) != std::string_view::npos;
}

bool drawable(const gs1::Element& element) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto plain = [](char c) { return c > ' ' && c <= '~' && c != '[' && c != ']'; };
  return element.ai.size() >= 2 && element.ai.size() <= 4 &&
         std::ranges::all_of(element.ai, digit) && !element.value.empty() &&
         std::ranges::all_of(element.value, plain);
}

/// "[01]…[10]…" in the order of gs1::raw; what FNC1s it needs zint knows.
Result<std::string> zint_text(const gs1::ElementString& elements) {
  std::string first, last;
  for (const gs1::Element& element : elements.elements()) {
    if (!drawable(element)) return fail(Code::kMalformed, "bar code: element");
    (predefined_length(element.ai) ? first : last) += "[" + element.ai + "]" + element.value;
  }
  if (first.empty() && last.empty()) return fail(Code::kMalformed, "bar code: no elements");
  return first + last;
}

Status encode(zint_symbol& zint, std::string_view text) {
  const int answer =
      ZBarcode_Encode(&zint, reinterpret_cast<const unsigned char*>(text.data()),  // NOLINT
                      static_cast<int>(text.size()));
  switch (answer) {
    case 0:
      return {};
    case ZINT_ERROR_TOO_LONG:
      return fail(Code::kTooLarge, "bar code: more than its size holds");
    case ZINT_ERROR_INVALID_DATA:
      return fail(Code::kMalformed, "bar code: characters");
    default:
      return fail(Code::kInternal, "bar code");  // warnings too: none is expected
  }
}

Symbol taken(const zint_symbol& zint, Carrier carrier, std::string content) {
  const int rows = carrier == Carrier::kGs1128 ? 1 : zint.rows;
  std::vector<std::uint8_t> modules;
  modules.reserve(static_cast<std::size_t>(rows) * static_cast<std::size_t>(zint.width));
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < zint.width; ++column) {
      const unsigned byte = zint.encoded_data[row][column / 8];  // NOLINT
      modules.push_back((byte >> static_cast<unsigned>(column % 8)) & 1U);
    }
  }
  return {carrier, zint.width, rows, std::move(modules), std::move(content)};
}

Result<int> size_number(int rows, int columns) {
  for (std::size_t i = 0; i < kMatrixSizes.size(); ++i) {
    const auto& size = kMatrixSizes[i];
    if (size.rows == rows && size.columns == columns) return static_cast<int>(i) + 1;
  }
  return fail(Code::kOutOfRange, "Data Matrix: no such size");
}

Status encode_data_matrix(zint_symbol& zint, std::string_view text, const SymbolOptions& options) {
  if (options.rows != 0 || options.columns != 0) {
    THERIAC_ASSIGN(zint.option_2, size_number(options.rows, options.columns));
    return encode(zint, text);
  }
  if (options.shape != MatrixShape::kRectangular) {
    if (options.shape == MatrixShape::kSquare) zint.option_3 = DM_SQUARE;
    return encode(zint, text);
  }
  const int count = static_cast<int>(kMatrixSizes.size());
  for (int number = kRectangularFirst; number <= count; ++number) {
    zint.option_2 = number;
    const Status done = encode(zint, text);
    if (done || done.error().code != Code::kTooLarge || number == count) return done;
    ZBarcode_Clear(&zint);
  }
  return fail(Code::kInternal, "Data Matrix");
}

int zint_level(QrLevel level) {  // zint counts L as 1
  return level == QrLevel::kM ? 2 : level == QrLevel::kQ ? 3 : 4;
}

}  // namespace

Symbol::Symbol(Carrier carrier, int columns, int rows, std::vector<std::uint8_t> modules,
               std::string content)
    : carrier_(carrier),
      columns_(columns),
      rows_(rows),
      modules_(std::move(modules)),
      content_(std::move(content)) {
  THERIAC_ASSERT(columns_ > 0 && rows_ > 0 &&
                 modules_.size() ==
                     static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_));
}

bool Symbol::dark(int column, int row) const {
  if (column < 0 || column >= columns_ || row < 0 || row >= rows_) return false;
  return modules_[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
                  static_cast<std::size_t>(column)] != 0;
}

std::vector<Run> dark_runs(const Symbol& symbol) {
  std::vector<Run> runs;
  for (int row = 0; row < symbol.rows(); ++row) {
    for (int column = 0; column < symbol.columns(); ++column) {
      if (!symbol.dark(column, row)) continue;
      Run run{column, row, 1};
      while (symbol.dark(column + run.length, row)) ++run.length;
      column += run.length;
      runs.push_back(run);
    }
  }
  return runs;
}

Result<Symbol> make_symbol(const gs1::ElementString& elements, Carrier carrier,
                           const SymbolOptions& options) {
  THERIAC_ASSIGN(std::string text, zint_text(elements));
  std::string content = gs1::raw(elements);
  if (carrier == Carrier::kQrLink) {
    auto link = gs1::digital_link(elements, options.link_stem);
    if (!link) return fail(gs1::error_of(link.error()));
    content = text = std::move(*link);
  }
  if (content.size() > kContentBytesMax) return fail(Code::kTooLarge, "bar code: content");
  if (carrier == Carrier::kGs1128 && content.size() > kGs1128CharactersMax) {
    return fail(Code::kTooLarge, "GS1-128: more than 48 characters");
  }
  const Zint zint(ZBarcode_Create());
  if (!zint) return fail(Code::kInternal, "bar code: memory");
  // The AIs were checked when the elements were read, against a newer list than zint's.
  zint->input_mode = carrier == Carrier::kQrLink ? DATA_MODE : GS1_MODE | GS1NOCHECK_MODE;
  zint->show_hrt = 0;
  if (carrier == Carrier::kDataMatrix) {
    zint->symbology = BARCODE_DATAMATRIX;
    THERIAC_TRY(encode_data_matrix(*zint, text, options));
  } else if (carrier == Carrier::kGs1128) {
    zint->symbology = BARCODE_GS1_128;
    THERIAC_TRY(encode(*zint, text));
  } else {
    zint->symbology = BARCODE_QRCODE;
    zint->option_1 = zint_level(options.level);
    THERIAC_TRY(encode(*zint, text));
  }
  return taken(*zint, carrier, std::move(content));
}

}  // namespace theriac::label
