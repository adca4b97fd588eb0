#include "label/png.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "label/limits.hpp"

namespace theriac::label {

namespace {

constexpr double kInch_mm = 25.4;

void chunk(Bytes& out, std::string_view type, ByteView data) {
  append_be(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t from = out.size();
  append(out, type);
  append(out, data);
  append_be(out, static_cast<std::uint32_t>(
                     crc32(0, out.data() + from, static_cast<uInt>(out.size() - from))));
}

/// One row of pixels behind its filter byte (0: none), most significant bit first, 1 is white.
Bytes pixel_row(const Symbol& symbol, int row, int scale, std::size_t width) {
  Bytes out(1 + (width + 7) / 8, 0xff);
  out[0] = 0;
  const int quiet = quiet_zone(symbol.carrier()).beside;
  for (std::size_t x = 0; x < width; ++x) {
    const int column = static_cast<int>(x) / scale - quiet;
    if (symbol.dark(column, row)) {
      out[1 + x / 8] = static_cast<std::uint8_t>(out[1 + x / 8] & ~(0x80U >> (x % 8)));
    }
  }
  return out;
}

Result<Bytes> deflated(ByteView data) {
  uLongf size = compressBound(data.size());
  Bytes out(size);
  if (compress2(out.data(), &size, data.data(), data.size(), Z_BEST_COMPRESSION) != Z_OK) {
    return fail(Code::kInternal, "png");
  }
  out.resize(size);
  return out;
}

}  // namespace

int pixels_per_module(double x_mm, int dpi) {
  return std::max(1, static_cast<int>(std::lround(x_mm * dpi / kInch_mm)));
}

Result<Bytes> png(const Symbol& symbol, double x_mm, int dpi, double bar_height_mm) {
  const auto length = [](double mm) { return mm > 0 && mm <= kSideMax_mm; };
  if (dpi < kDpiMin || dpi > kDpiMax || !length(x_mm) ||
      (symbol.linear() && !length(bar_height_mm))) {
    return fail(Code::kOutOfRange, "png: size");
  }
  const int scale = pixels_per_module(x_mm, dpi);
  const QuietZone quiet = quiet_zone(symbol.carrier());
  const int row_pixels = symbol.linear() ? pixels_per_module(bar_height_mm, dpi) : scale;
  const auto width = static_cast<std::size_t>(symbol.columns() + 2 * quiet.beside) *
                     static_cast<std::size_t>(scale);
  const auto height = static_cast<std::size_t>(symbol.rows() + 2 * quiet.above) *
                      static_cast<std::size_t>(row_pixels);
  if (width > kPixelsMax / height) return fail(Code::kTooLarge, "png: pixels");

  Bytes pixels;
  pixels.reserve(height * (1 + (width + 7) / 8));
  for (int row = -quiet.above; row < symbol.rows() + quiet.above; ++row) {
    const Bytes line = pixel_row(symbol, row, scale, width);
    for (int i = 0; i < row_pixels; ++i) append(pixels, line);
  }
  THERIAC_ASSIGN(const Bytes data, deflated(pixels));

  Bytes header;
  append_be(header, static_cast<std::uint32_t>(width));
  append_be(header, static_cast<std::uint32_t>(height));
  append(header, Bytes{1, 0, 0, 0, 0});  // one bit, grey, deflate, filters, not interlaced
  Bytes physical;
  const auto per_metre = static_cast<std::uint32_t>(std::lround(dpi * 1000 / kInch_mm));
  append_be(physical, per_metre);
  append_be(physical, per_metre);
  physical.push_back(1);
  Bytes out{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  chunk(out, "IHDR", header);
  chunk(out, "pHYs", physical);
  chunk(out, "IDAT", data);
  chunk(out, "IEND", {});
  return out;
}

}  // namespace theriac::label
