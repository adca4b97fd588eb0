// epcis_bridge: a document read and written by src/epcis, for tests in other languages.
//
//   epcis_bridge json|xml json|xml|told|hash|prehash <file>
//
// Prints the document in the wanted format, or what its reading told, or the hashes of its events;
// exit 1 if it was refused or an event of it was.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>

#include "epcis/event_hash.hpp"
#include "epcis/read.hpp"
#include "epcis/write.hpp"

namespace {

using namespace theriac::epcis;

bool told(const Reading& reading) {
  bool refused = reading.refused;
  for (const Problem& one : reading.problems) {
    fmt::print(stderr, "{} {}\n", name_of(one.code), one.path);
  }
  for (const EventReading& event : reading.events) {
    refused = refused || !event.event;
    for (const Problem& one : event.problems) {
      fmt::print(stderr, "{}: {} {}\n", event.index, name_of(one.code), one.path);
    }
  }
  return refused;
}

int run(std::span<char*> words) {
  if (words.size() != 4) return 2;
  const std::string_view from = words[1];
  const std::string_view to = words[2];
  std::ifstream file(words[3], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto reading = from == "json" ? read_json(text) : read_xml(text);
  if (!reading) {
    fmt::print(stderr, "{}\n", reading.error().message());
    return 1;
  }
  const bool refused = told(*reading);
  if (to == "told") return refused ? 1 : 0;
  if (to == "hash") {
    for (const Event& event : reading->document.events) fmt::print("{}\n", event_hash(event));
    return refused ? 1 : 0;
  }
  if (to == "prehash") {
    for (const Event& event : reading->document.events) fmt::print("{}\n", pre_hash(event));
    return refused ? 1 : 0;
  }
  const auto written = to == "json" ? write_json(reading->document) : write_xml(reading->document);
  if (!written) {
    fmt::print(stderr, "{}\n", written.error().message());
    return 1;
  }
  fmt::print("{}\n", *written);
  return refused ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) { return run(std::span(argv, static_cast<std::size_t>(argc))); }
