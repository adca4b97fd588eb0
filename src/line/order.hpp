// What a packaging line asks and reports, read from its files. Pure: bytes in, an order or a fault
// out. The forms are described in docs/line.md.
//
// Limits: kOrderBytesMax, kOrderItemsMax. Threading: values and free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/bytes.hpp"
#include "line/reasons.hpp"

namespace theriac::line {

enum class Ask : std::uint8_t { kNumbers, kOpen, kClose, kReport };
enum class Act : std::uint8_t {
  kCommission,
  kReject,
  kSample,
  kDestroy,
  kPack,
  kUnpack,
  kReturn,  ///< numbers that were not used
};
/// Of theriacd's acts; kReturn is none.
std::string_view server_name_of(Act act);

/// One thing that happened to some items.
struct Event {
  Act act{};
  std::vector<std::string> serials;  ///< of the order's GTIN
  std::vector<std::string> ssccs;    ///< logistic units
  std::string container;             ///< SSCC, of pack and unpack
  std::optional<std::int64_t> when_ms;
  friend bool operator==(const Event&, const Event&) = default;
};

struct Order {
  Ask ask{};
  std::string gtin, lot;
  std::int64_t count = 0;     ///< numbers asked for
  std::vector<Event> events;  ///< of a report, in their order
  friend bool operator==(const Order&, const Order&) = default;
};

enum class Form : std::uint8_t { kJson, kCsv };

tl::expected<Order, Fault> read_order(std::string_view text, Form form);

/// The answer to a request for numbers, in the form of the request.
std::string write_numbers(const Order& order, const std::vector<std::string>& serials, Form form);

/// "https://id.gs1.org/01/…/21/…" and "https://id.gs1.org/00/…".
std::string link_of(std::string_view gtin, std::string_view serial);
std::string link_of_sscc(std::string_view sscc);

}  // namespace theriac::line
