// What our own master data tell a query of EPCIS: WD_, HASATTR_ and EQATTR_ parameters.
//
// A place with an extension of its GLN is within the place without one (AI 254, GS1 General
// Specifications section 3.9.3). Attributes are those of CBV 2.0 section 10 that we have: of places
// and parties `name`; of products `regulatedProductName`, `descriptionShort` and
// `additionalTradeItemIdentification`; bare, or in the namespace urn:epcglobal:cbv:mda.
//
// Threading: as the Work, which outlives the lookup.
#pragma once

#include "epcis/query.hpp"
#include "trace/records.hpp"

namespace theriac::api {

/// Remembers what it found as long as it lives.
epcis::MasterDataLookup master_lookup(trace::Work& work);

}  // namespace theriac::api
