// Bar codes that carry GS1 data, as modules: what is dark and what is light, nothing about size.
// Sources: ISO/IEC 16022 (Data Matrix ECC 200), 15417 (Code 128), 18004 (QR Code); GS1 General
// Specifications section 5. The encoding is zint's.
//
// Threading: values and free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gs1/digital_link.hpp"
#include "gs1/element_string.hpp"

namespace theriac::label {

enum class Carrier : std::uint8_t {
  kDataMatrix,  ///< GS1 DataMatrix
  kGs1128,      ///< GS1-128, one row of bars
  kQrLink,      ///< QR Code with a GS1 Digital Link URI
  kGs1Qr        ///< GS1 QR Code: element strings behind FNC1
};

enum class MatrixShape : std::uint8_t { kSquare, kRectangular, kSmallest };
/// Share of a QR Code that may be lost: 15, 25, 30 %.
enum class QrLevel : std::uint8_t { kM, kQ, kH };

struct SymbolOptions {
  MatrixShape shape = MatrixShape::kSquare;  ///< Data Matrix without a chosen size
  int rows = 0;                              ///< Data Matrix of this size; 0: the smallest
  int columns = 0;
  QrLevel level = QrLevel::kM;  ///< at least; more where it costs no larger symbol
  std::string link_stem{gs1::kCanonicalStem};
};

/// Modules without their quiet zone. A row of bars has rows() == 1.
class Symbol {
 public:
  /// `modules` row by row, 0 light and 1 dark; must be columns times rows.
  Symbol(Carrier carrier, int columns, int rows, std::vector<std::uint8_t> modules,
         std::string content);

  [[nodiscard]] Carrier carrier() const { return carrier_; }
  [[nodiscard]] bool linear() const { return carrier_ == Carrier::kGs1128; }
  [[nodiscard]] int columns() const { return columns_; }
  [[nodiscard]] int rows() const { return rows_; }
  /// Light outside of the symbol.
  [[nodiscard]] bool dark(int column, int row) const;
  /// What a scanner sends behind the symbology identifier: gs1::raw or the Digital Link.
  [[nodiscard]] const std::string& content() const { return content_; }
  friend bool operator==(const Symbol&, const Symbol&) = default;

 private:
  Carrier carrier_;
  int columns_, rows_;
  std::vector<std::uint8_t> modules_;
  std::string content_;
};

/// Dark modules beside each other, as one rectangle of a row.
struct Run {
  int column, row, length;
};
std::vector<Run> dark_runs(const Symbol& symbol);

/// The elements as a symbol. Code::kMalformed for elements that cannot be drawn (empty, or
/// characters outside printable ASCII) and for a Digital Link without primary key; Code::kTooLarge
/// when they do not fit, naming the limit; Code::kOutOfRange for a Data Matrix size that does not
/// exist.
Result<Symbol> make_symbol(const gs1::ElementString& elements, Carrier carrier,
                           const SymbolOptions& options = {});

}  // namespace theriac::label
