// North American coupon codes, AI (8110) and (8112): lengths that stand in the data, and fields
// that follow their numbers. Source: GS1 North American Coupon Application Guideline, as the
// dictionary's linters couponcode and couponposoffer have it.
//
// Threading: free functions.
#pragma once

#include <optional>
#include <string_view>

#include "gs1/fault.hpp"

namespace theriac::gs1 {

std::optional<Fault> lint_coupon(std::string_view text);
std::optional<Fault> lint_coupon_offer(std::string_view text);

}  // namespace theriac::gs1
