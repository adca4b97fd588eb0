// Packaging lines: where a line's certificate may act, and which allocations are its own.
//
// A line acts, takes numbers and gives them back only at places that name its certificate, and only
// with allocations that are its own or, at those places, nobody's. How many numbers it may have out
// at once, and for how long, is bounded, so that a stolen stock is worth little.
//
// Errors: Code::kDenied for another's place or allocation; else as pools.hpp.
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "trace/life.hpp"
#include "trace/pools.hpp"

namespace theriac::trace {

/// What the certificate of this name is bound to; of one that no place names: nothing.
Result<BoundLine> bound_line(Work& work, std::string_view certificate);
/// The lines of a place, in place of those it had.
Status set_lines(Work& work, PlaceKey place, std::span<const std::string> certificates);

Status check_place(const BoundLine& line, PlaceKey place);
/// At a place of the line's, and its own or nobody's.
Status check_allocation(Work& work, const BoundLine& line, const Allocation& of);

/// `count` numbers of an open pool of the lot's product, for the line that asks. kTooLarge beyond
/// kLineNumbersMax that it has and has neither used nor given back.
Result<Allocation> draw_for_line(Work& work, std::int64_t lot, PlaceKey place, std::int64_t count,
                                 const Who& who);
/// Makes a new allocation the line's. kDenied if its place does not name the line.
Status give_to_line(Work& work, const Allocation& allocation, std::string_view certificate);

/// Whose an allocation is; nullopt: every line's at its place.
Result<std::optional<seal::IndexToken>> line_of(Work& work, std::int64_t allocation);
/// So many more of its numbers are on items. Nothing for an allocation that is no line's.
Status note_used(Work& work, std::int64_t allocation, std::int64_t count);

/// May a line have used a number of this allocation then? BeforeIssued, StockTooOld.
std::optional<LifeRefusal> wrong_time_of_use(const Allocation& of, std::int64_t when_ms);

}  // namespace theriac::trace
