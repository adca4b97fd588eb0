#include "trace/lines.hpp"

#include <algorithm>

#include "trace/capture.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::trace {
namespace {

Result<seal::IndexToken> name_of_line(Work& work, std::string_view certificate) {
  return work.vault.index(Domain::kPartner, "line:" + std::string(certificate));
}

/// Numbers it has and has neither used nor given back.
Result<std::int64_t> outstanding(Work& work, const BoundLine& line) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(
                                "SELECT sum(a.count - a.returned - l.used) FROM line_allocations l "
                                "JOIN allocations a ON a.id = l.allocation WHERE l.line = $1",
                                ByteView(line.name)));
  THERIAC_ASSIGN(const bool found, rows->next());
  return found ? rows->integer(0) : 0;
}

Status insert_line(Work& work, const Allocation& allocation, const BoundLine& line) {
  THERIAC_TRY(
      work.session.run_all("INSERT INTO line_allocations(allocation, line, used) VALUES($1, $2, 0)",
                           allocation.id, ByteView(line.name)));
  return {};
}

}  // namespace

Result<BoundLine> bound_line(Work& work, std::string_view certificate) {
  BoundLine line;
  THERIAC_ASSIGN(line.name, name_of_line(work, certificate));
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT place FROM line_places WHERE name = $1",
                                                   ByteView(line.name)));
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return line;
    line.places.push_back(rows->integer(0));
  }
}

Status set_lines(Work& work, PlaceKey place, std::span<const std::string> certificates) {
  THERIAC_TRY(work.session.run_all("DELETE FROM line_places WHERE place = $1", place));
  for (const auto& certificate : certificates) {
    THERIAC_ASSIGN(const auto name, name_of_line(work, certificate));
    const auto done = work.session.run_all("INSERT INTO line_places(name, place) VALUES($1, $2)",
                                           ByteView(name), place);
    if (!done && done.error().code == Code::kConflict) return fail(Code::kMalformed, "lines");
    THERIAC_TRY(done);
  }
  return {};
}

Status check_place(const BoundLine& line, PlaceKey place) {
  if (std::ranges::find(line.places, place) != line.places.end()) return {};
  return fail(Code::kDenied, "the place does not name this line");
}

Status check_allocation(Work& work, const BoundLine& line, const Allocation& of) {
  THERIAC_TRY(check_place(line, of.place));
  THERIAC_ASSIGN(const auto owner, line_of(work, of.id));
  if (!owner || *owner == line.name) return {};
  return fail(Code::kDenied, "the allocation is another line's");
}

Result<Allocation> draw_for_line(Work& work, std::int64_t lot_id, PlaceKey place,
                                 std::int64_t count, const Who& who) {
  if (!who.line) return fail(Code::kDenied, "only a line draws for itself");
  THERIAC_TRY(check_place(*who.line, place));
  if (count < 1) return fail(Code::kOutOfRange, "count");
  if (count > static_cast<std::int64_t>(kItemsOfOneCallMax)) return fail(Code::kTooLarge, "count");
  THERIAC_ASSIGN(const auto has, outstanding(work, *who.line));
  if (count > kLineNumbersMax - has) return fail(Code::kTooLarge, "numbers that the line has");
  THERIAC_ASSIGN(const auto of, lot(work, lot_id));
  THERIAC_ASSIGN(const auto pools, pools_of(work, of.product));
  for (const auto& one : pools) {
    const auto left = static_cast<std::int64_t>(one.rule.capacity) - one.issued;
    if (!one.open || !one.drawn || left < count) continue;
    THERIAC_ASSIGN(auto made, allocate(work, one.id, count, lot_id, place, who));
    THERIAC_TRY(insert_line(work, made, *who.line));
    return made;
  }
  return fail(Code::kKeyExhausted, "the numbers of the product's pools");
}

Status give_to_line(Work& work, const Allocation& allocation, std::string_view certificate) {
  THERIAC_ASSIGN(const auto line, bound_line(work, certificate));
  THERIAC_TRY(check_place(line, allocation.place));
  return insert_line(work, allocation, line);
}

Result<std::optional<seal::IndexToken>> line_of(Work& work, std::int64_t allocation) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT line FROM line_allocations WHERE allocation = $1",
                                        allocation));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  seal::IndexToken name{};
  const auto bytes = rows->bytes(0);
  if (bytes.size() != name.size()) return fail(Code::kNotAuthentic, "line_allocations");
  std::ranges::copy(bytes, name.begin());
  return name;
}

Status note_used(Work& work, std::int64_t allocation, std::int64_t count) {
  THERIAC_TRY(work.session.run_all(
      "UPDATE line_allocations SET used = used + $2 WHERE allocation = $1", allocation, count));
  return {};
}

std::optional<LifeRefusal> wrong_time_of_use(const Allocation& of, std::int64_t when_ms) {
  if (when_ms < of.when_ms - kFutureMs) return LifeRefusal::kBeforeIssued;
  if (when_ms > of.when_ms + kLineStockMs + kLineUseMs) return LifeRefusal::kStockTooOld;
  return std::nullopt;
}

}  // namespace theriac::trace
