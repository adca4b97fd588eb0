#include "pki/credentials.hpp"

#include <cstdio>

#include "base/files.hpp"

namespace theriac::pki {
Result<Credentials> load_credentials(const CredentialPaths& paths) {
  THERIAC_ASSIGN(const auto certificate_pem, read_small_file(paths.certificate));
  THERIAC_ASSIGN(const auto authority_pem, read_small_file(paths.authority));
  THERIAC_ASSIGN(auto certificate, Certificate::from_pem(text_of(certificate_pem)));
  THERIAC_ASSIGN(auto authority, Certificate::from_pem(text_of(authority_pem)));

  const std::string next = paths.key + ".next";
  for (const auto& path : {paths.key, next}) {
    auto pem = read_small_file(path);
    if (!pem) {
      if (pem.error().code != Code::kNotFound) return fail(pem.error());
      continue;
    }
    auto key = PrivateKey::from_pem(*pem);
    wipe(*pem);
    if (!key || !certificate.matches(*key)) continue;
    if (path == next) {
      if (std::rename(next.c_str(), paths.key.c_str()) != 0) return file_error(next);
      THERIAC_TRY(sync_folder_of(paths.key));
    }
    return Credentials{std::move(certificate), std::move(*key), std::move(authority)};
  }
  return fail(Code::kBadCertificate, "no key fits " + paths.certificate);
}

Status replace_credentials(const CredentialPaths& paths, const std::string& certificate_pem,
                           ByteView key_pem) {
  const std::string next = paths.key + ".next";
  THERIAC_TRY(replace_file(next, key_pem, 0600));
  THERIAC_TRY(replace_file(paths.certificate, view_of(certificate_pem), 0644));
  if (std::rename(next.c_str(), paths.key.c_str()) != 0) return file_error(next);
  return sync_folder_of(paths.key);
}

}  // namespace theriac::pki
