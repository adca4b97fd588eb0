// One event as JSON, without a check and without @context.
//
// Threading: free functions.
#pragma once

#include "epcis/json_writer.hpp"
#include "epcis/prefixes.hpp"
#include "epcis/write.hpp"

namespace theriac::epcis {

/// An open object is expected, and left open.
void write_event_members(const Event& event, const Prefixes& prefixes, const WriteOptions& options,
                         JsonWriter& out);
/// Extensions as members of the open object; those of one name as an array.
void write_extensions(const std::vector<Element>& extensions, const Prefixes& prefixes,
                      JsonWriter& out);
/// Its text or object, without its name.
void write_extension_value(const Element& element, const Prefixes& prefixes, JsonWriter& out);

/// The identifier in the wanted format.
std::string formatted(std::string_view identifier, const WriteOptions& options);
/// Of a list: what was one thing in two formats is there once.
std::vector<std::string> formatted(const std::vector<std::string>& list,
                                   const WriteOptions& options);

}  // namespace theriac::epcis
