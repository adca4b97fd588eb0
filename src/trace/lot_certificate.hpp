// The release certificate of a lot as a file, sealed. It is kept under its lot with every one that
// was there before; the lot says the name and the SHA-256 of the one that counts.
//
// Threading: as the session of the Work.
#pragma once

#include <string>

#include "trace/records.hpp"

namespace theriac::trace {

struct LotCertificate {
  std::string name;
  std::string bytes;
};
/// Code::kMalformed for no name or no bytes, kTooLarge, kNotFound for the lot.
Status keep_certificate(Work& work, std::int64_t lot, const LotCertificate& file, const Who& who);
/// kNotFound for a lot without a file, or that names another certificate since.
Result<LotCertificate> certificate_of(Work& work, std::int64_t lot);

}  // namespace theriac::trace
