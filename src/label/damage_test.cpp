// What error correction bears, and that what it does not bear is not read as something else.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <random>
#include <set>

#include "label/testing.hpp"

namespace theriac::label {
namespace {

/// ISO/IEC 16022 table 7: modules, data regions, and how many codewords of one block may be wrong
/// (half of its error correction codewords).
struct Size {
  int rows, columns, regions_down, regions_across, correctable;
};
constexpr auto kSizes = std::to_array<Size>({{22, 22, 1, 1, 10},
                                             {24, 24, 1, 1, 12},
                                             {26, 26, 1, 1, 14},
                                             {32, 32, 2, 2, 18},
                                             {36, 36, 2, 2, 21},
                                             {48, 48, 2, 2, 34},
                                             {52, 52, 2, 2, 21},
                                             {64, 64, 4, 4, 28},
                                             {16, 36, 1, 2, 12},
                                             {16, 48, 1, 2, 14}});

/// Not of the finder and clock tracks around each region.
bool is_data(const Size& size, int column, int row) {
  const int across = size.columns / size.regions_across;
  const int down = size.rows / size.regions_down;
  const auto inside = [](int at, int length) { return at > 0 && at < length - 1; };
  return inside(column % across, across) && inside(row % down, down);
}

using Modules = std::vector<std::uint8_t>;

Modules modules_of(const Symbol& symbol) {
  Modules out;
  for (int row = 0; row < symbol.rows(); ++row) {
    for (int column = 0; column < symbol.columns(); ++column) {
      out.push_back(symbol.dark(column, row) ? 1 : 0);
    }
  }
  return out;
}

std::optional<std::string> decode(const Symbol& like, const Modules& modules) {
  return label::decode(
      picture_of(Symbol(like.carrier(), like.columns(), like.rows(), modules, like.content()), 4));
}

Symbol made(const Size& size) {
  SymbolOptions options;
  options.rows = size.rows;
  options.columns = size.columns;
  return make_symbol(elements_of(kMedicine), Carrier::kDataMatrix, options).value();
}

/// Turns `count` data modules at random places.
void damage(Modules& modules, const Size& size, int count) {
  std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
  std::set<std::size_t> places;
  while (places.size() < static_cast<std::size_t>(count)) {
    const int row = static_cast<int>(random() % static_cast<unsigned>(size.rows));
    const int column = static_cast<int>(random() % static_cast<unsigned>(size.columns));
    if (is_data(size, column, row)) {
      places.insert(static_cast<std::size_t>(row * size.columns + column));
    }
  }
  for (const std::size_t place : places) modules[place] ^= 1U;
}

TEST(Damage, AsManyModulesAsCodewordsCanBeCorrected) {
  const std::string wanted = gs1::scan(elements_of(kMedicine), gs1::Symbology::kDataMatrix);
  EXPECT_TRUE(rc::check("any places", [&] {
    const Size size = *rc::gen::elementOf(kSizes);
    const Symbol symbol = made(size);
    Modules modules = modules_of(symbol);
    damage(modules, size, size.correctable);
    RC_ASSERT(decode(symbol, modules) == wanted);
  }));
}

TEST(Damage, TooMuchIsNotReadAsSomethingElse) {
  const std::string wanted = gs1::scan(elements_of(kMedicine), gs1::Symbology::kDataMatrix);
  int unread = 0;
  EXPECT_TRUE(rc::check("four times as much", [&] {
    const Size size = *rc::gen::elementOf(kSizes);
    const Symbol symbol = made(size);
    Modules modules = modules_of(symbol);
    damage(modules, size, 4 * size.correctable);
    const auto read = decode(symbol, modules);
    unread += read ? 0 : 1;
    RC_ASSERT(read.value_or(wanted) == wanted);
  }));
  EXPECT_GT(unread, 0);
}

TEST(Damage, ADestroyedFinderIsNotReadAsSomethingElse) {
  const std::string wanted = gs1::scan(elements_of(kMedicine), gs1::Symbology::kDataMatrix);
  for (const Size& size : kSizes) {
    const Symbol symbol = made(size);
    for (const bool bottom : {true, false}) {
      for (const bool value : {false, true}) {
        Modules modules = modules_of(symbol);
        for (int i = 0; i < (bottom ? size.columns : size.rows); ++i) {
          const int at = bottom ? (size.rows - 1) * size.columns + i : i * size.columns;
          modules[static_cast<std::size_t>(at)] = value ? 1 : 0;
        }
        const auto read = decode(symbol, modules);
        EXPECT_TRUE(!read || *read == wanted) << size.rows << "x" << size.columns;
      }
    }
    Modules modules = modules_of(symbol);
    for (int row = 0; row < size.rows; ++row) {  // both arms of the L, and both clock tracks
      for (int column = 0; column < size.columns; ++column) {
        if (is_data(size, column, row)) continue;
        modules[static_cast<std::size_t>(row * size.columns + column)] = 0;
      }
    }
    EXPECT_EQ(decode(symbol, modules), std::nullopt);
  }
}

}  // namespace
}  // namespace theriac::label
