// Files that only the holder of a certificate's key can open: CMS AuthEnvelopedData (RFC 5083) with
// AES-256-GCM (RFC 5084). To a P-256 certificate the content key goes by ephemeral-static ECDH
// (RFC 5753, X9.63 with SHA-256, AES-256 key wrap), to RSA by OAEP with SHA-256. `openssl cms
// -decrypt -inform DER -recip cert.pem -inkey key.pem` opens it.
//
// An Ed25519 certificate can only sign: Code::kUnsupported. The internal authority issues P-256,
// and to lines with the use "keyAgreement".
//
// Such a file says for whom it is, not from whom: whoever has the certificate can make one.
//
// Threading: free functions.
#pragma once

#include "pki/certificate.hpp"

namespace theriac::pki {

/// Code::kBadCertificate.
Result<Certificate> certificate_of_der(ByteView der);

/// Issued by `authority`, as a client's, and good at `now_ms`. Code::kBadCertificate.
Status check_issued(const Certificate& certificate, const Certificate& authority,
                    std::int64_t now_ms);

/// DER. Code::kUnsupported for a key that cannot receive; kBadCertificate for one too weak.
Result<Bytes> seal_file(ByteView plain, const Certificate& recipient);

/// What is in a file for `recipient`. Code::kMalformed for what is no such file, kNotAuthentic when
/// it was altered or is for another key. The bytes are wiped by whoever is given them.
Result<Bytes> open_file(ByteView sealed, const Certificate& recipient, const PrivateKey& key);

}  // namespace theriac::pki
