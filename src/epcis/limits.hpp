// Bounds on what is read: a document beyond one of them is refused (Code::kTooLarge), never cut.
#pragma once

#include <cstddef>

namespace theriac::epcis {

inline constexpr std::size_t kDocumentBytesMax = 64U << 20U;
inline constexpr std::size_t kEventsMax = 100'000;
inline constexpr std::size_t kDepthMax = 48;             ///< nested objects, arrays or elements
inline constexpr std::size_t kNodesMax = 400'000;        ///< values in one event, or in the header
inline constexpr std::size_t kAttributesMax = 1'000;     ///< of one element in XML
inline constexpr std::size_t kListMax = 100'000;         ///< identifiers or elements in one list
inline constexpr std::size_t kTextBytesMax = 1U << 20U;  ///< one text in an extension
inline constexpr std::size_t kUriBytesMax = 2'048;       ///< an identifier, word or time
inline constexpr std::size_t kNameBytesMax = 1'024;      ///< a name with its namespace or prefix
inline constexpr std::size_t kPrefixBytesMax = 64;       ///< longer ones are replaced when written
inline constexpr std::size_t kNamespacesMax = 1'000;
inline constexpr std::size_t kProblemsMax = 1'000;  ///< kept for one event; further ones counted

inline constexpr std::size_t kQueryParametersMax = 200;
inline constexpr std::size_t kQueryPatternsMax = 100;   ///< EPC patterns in one parameter
inline constexpr std::size_t kQueryValuesMax = 10'000;  ///< in one parameter

}  // namespace theriac::epcis
