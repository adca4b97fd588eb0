// How master data is written into its sealed rows, and what is demanded of it. Internal to
// master.cpp.
#pragma once

#include "trace/master.hpp"

namespace theriac::trace {

codec::Json json_of(const Product& product);
codec::Json json_of(const Lot& lot);
codec::Json json_of(const Partner& partner);
codec::Json json_of(const Place& place);

/// Of a row that was sealed by json_of().
void read(const codec::Json& json, Product& product);
void read(const codec::Json& json, Lot& lot);
void read(const codec::Json& json, Partner& partner);
void read(const codec::Json& json, Place& place);

/// Code::kMalformed with the member's name.
Status check(const Product& product);
Status check(const Lot& lot);
Status check(const Partner& partner);
Status check(const Place& place);

}  // namespace theriac::trace
