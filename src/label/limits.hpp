// Bounds on what is drawn: sizes of labels and pages, texts, counts.
#pragma once

#include <cstddef>

namespace theriac::label {

inline constexpr std::size_t kGs1128CharactersMax = 48;  ///< GS1 General Specifications 5.4.4.3
inline constexpr double kGs1128WidthMax_mm = 165.10;     ///< ditto, quiet zones included
inline constexpr std::size_t kContentBytesMax = 2'335;   ///< Data Matrix 144 x 144, letters
inline constexpr double kSideMin_mm = 5;                 ///< of a label or page
inline constexpr double kSideMax_mm = 1'000;
inline constexpr double kTextMax_mm = 20;           ///< em of a text
inline constexpr std::size_t kLineBytesMax = 512;   ///< one line of text
inline constexpr std::size_t kLinesMax = 40;        ///< lines of text given for one label
inline constexpr int kColumnsMax = 100;             ///< labels beside each other on a page
inline constexpr std::size_t kLabelsMax = 100'000;  ///< in one document
inline constexpr int kDpiMin = 72;
inline constexpr int kDpiMax = 4'800;
inline constexpr std::size_t kPixelsMax = 100'000'000;
inline constexpr int kPrinterDotsPerModuleMax = 10;        ///< ZPL II ^BY, ^BQ
inline constexpr unsigned kPrintQuantityMax = 99'999'999;  ///< ZPL II ^PQ

}  // namespace theriac::label
