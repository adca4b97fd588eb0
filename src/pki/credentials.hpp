// Certificate, key and authority of a program, in files.
//
// Errors: Code::kNotFound for a missing file, kDiskFull, kIo; `where` is the path.
// Threading: free functions; one writer a path.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "pki/certificate.hpp"

namespace theriac::pki {

/// What a program shows the other end, and whom it believes.
struct Credentials {
  Certificate certificate;
  PrivateKey key;
  Certificate authority;
};

struct CredentialPaths {
  std::string certificate;  ///< cert.pem
  std::string key;          ///< key.pem
  std::string authority;    ///< ca.pem

  static CredentialPaths in(const std::string& directory) {
    return {directory + "/cert.pem", directory + "/key.pem", directory + "/ca.pem"};
  }
};

/// Loads and checks that key and certificate belong together. When a replacement was cut short
/// between its two renames, the key that waits in "<key>.next" is put in place first.
/// Code::kBadCertificate when nothing fits.
Result<Credentials> load_credentials(const CredentialPaths& paths);
/// Replaces certificate and key so that load_credentials finds a pair after a crash at any point.
/// `key_pem` is PKCS#8 as PrivateKey::to_pem hands out.
Status replace_credentials(const CredentialPaths& paths, const std::string& certificate_pem,
                           ByteView key_pem);

}  // namespace theriac::pki
