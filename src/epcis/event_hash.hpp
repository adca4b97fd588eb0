// The event hash of CBV 2.0 section 8.9: an identifier that anybody can compute from the event
// itself, whichever format it is in. It identifies; it does not authenticate, and a short event can
// be guessed from it.
//
// Follows GS1's reference implementation (RalphTro/epcis-event-hash-generator) where that and the
// standard's prose part: the type stands before the identifier of a transaction, source or
// destination; these lists, ilmd and extensions follow the sensor data in order of their text; any
// value that reads as a number is written as one. recordTime, eventID, errorDeclaration and
// rdfs:comment do not count.
//
// Threading: free functions.
#pragma once

#include <string>

#include "epcis/event.hpp"

namespace theriac::epcis {

struct HashOptions {
  struct Name {
    std::string ns;
    std::string name;
  };
  /// Extensions of the event that do not count: what a repository adds for itself.
  std::vector<Name> ignored;
};

/// The text that is hashed.
std::string pre_hash(const Event& event, const HashOptions& options = {});
/// "ni:///sha-256;<64 hex digits>?ver=CBV2.0"
std::string event_hash(const Event& event, const HashOptions& options = {});

}  // namespace theriac::epcis
