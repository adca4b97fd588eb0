// Codes of lists that others keep: countries, currencies, packages.
//
// Threading: free functions.
#pragma once

#include <string_view>

namespace theriac::gs1 {

bool is_country(std::string_view code);         ///< ISO 3166-1 numeric, three digits
bool is_country_alpha2(std::string_view code);  ///< ISO 3166-1 alpha-2
bool is_currency(std::string_view code);        ///< ISO 4217 numeric, three digits
bool is_package_type(std::string_view code);    ///< GS1 PackageTypeCode

}  // namespace theriac::gs1
