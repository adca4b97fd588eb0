#include "trace/lot_certificate.hpp"

#include "crypto/hash.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::trace {
namespace {

std::string digest_of(std::string_view bytes) { return to_hex(crypto::sha256(view_of(bytes))); }

}  // namespace

Status keep_certificate(Work& work, std::int64_t lot_id, const LotCertificate& file,
                        const Who& who) {
  if (file.name.empty()) return fail(Code::kMalformed, "name");
  if (file.bytes.empty()) return fail(Code::kMalformed, "file");
  if (file.bytes.size() > kCertificateBytesMax) return fail(Code::kTooLarge, "file");
  THERIAC_ASSIGN(auto of, lot(work, lot_id));
  of.certificate = file.name;
  of.certificate_sha256 = digest_of(file.bytes);
  THERIAC_TRY(change(work, of, who));
  THERIAC_ASSIGN(const auto id, next_ids(work, "documents"));
  THERIAC_ASSIGN(const auto sealed,
                 work.vault.seal(Record::kDocument, row_of(Record::kDocument, id), file.bytes));
  THERIAC_TRY(
      work.session.run_all("INSERT INTO documents(id, lot, when_ms, sealed) VALUES($1, $2, $3, $4)",
                           id, lot_id, work.now_ms, ByteView(sealed)));
  return {};
}

Result<LotCertificate> certificate_of(Work& work, std::int64_t lot_id) {
  THERIAC_ASSIGN(const auto of, lot(work, lot_id));
  LotCertificate file{of.certificate, {}};
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT id, sealed FROM documents WHERE "
                                                   "lot = $1 ORDER BY id DESC LIMIT 1",
                                                   lot_id));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "certificate");
  THERIAC_ASSIGN(file.bytes,
                 work.vault.open(Record::kDocument, row_of(Record::kDocument, rows->integer(0)),
                                 rows->bytes(1)));
  // The lot may name another certificate since, which was given by its digest alone.
  if (digest_of(file.bytes) != of.certificate_sha256) return fail(Code::kNotFound, "certificate");
  return file;
}

}  // namespace theriac::trace
