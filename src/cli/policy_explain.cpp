#include "cli/policy_explain.hpp"

#include "crypto/random.hpp"
#include "pgwire/types.hpp"
#include "policy/canonical.hpp"
#include "seal/sealed.hpp"

namespace theriac::cli {
namespace {

using policy::MaskKind;

struct Sample {
  pgwire::ColumnType type;
  std::string value;
};

Sample sample_for(const policy::Masked* mask) {
  switch (mask == nullptr ? MaskKind::kName : mask->how) {
    case MaskKind::kPhone:
      return {{pgwire::kOidText, -1}, "13812345678"};
    case MaskKind::kLastFour:
    case MaskKind::kBankCard:
      return {{pgwire::kOidText, -1}, "6222020200112233"};
    case MaskKind::kEmail:
      return {{pgwire::kOidText, -1}, "zhang.wei@hospital.cn"};
    case MaskKind::kIdNumber:
      return {{pgwire::kOidText, -1}, "11010519900307123X"};
    case MaskKind::kAddress:
      return {{pgwire::kOidText, -1}, "上海市浦东新区张江镇祖冲之路2305号"};
    case MaskKind::kSerial:
      return {{pgwire::kOidText, -1}, "SN-00012345"};
    case MaskKind::kYear:
    case MaskKind::kMonth:
      return {{pgwire::kOidDate, -1}, "1990-03-07"};
    case MaskKind::kBand:
      return {{pgwire::kOidNumeric, -1}, "12345.67"};
    default:
      return {{pgwire::kOidText, -1}, "张伟"};
  }
}

/// The sample a person gave, read as the type the mask is for.
Result<Sample> given_sample(const policy::Masked* mask, const std::string& text) {
  const auto type = sample_for(mask).type;
  auto stored = pgwire::to_stored(type, 0, 0, view_of(text), {});
  if (!stored) return fail(stored.error().code, "--sample");
  return Sample{type, std::move(*stored)};
}

Result<policy::PseudonymToken> token_of(const Sample& sample, std::string_view recipient) {
  seal::LeasedKey key;
  key.purpose = seal::Purpose::kIndex;
  key.material = crypto::new_key256();
  key.id = seal::commit_key(key.suite, key.purpose, key.material);
  THERIAC_ASSIGN(auto indexer,
                 seal::Indexer::make(key, TenantId{}, seal::domain_of(recipient), "pseudonym"));
  return indexer.index(view_of(sample.value));
}

Result<codec::Json> explain_column(const policy::Policy& policy,
                                   const policy::ProtectedColumn& column,
                                   const ExplainRequest& request) {
  const auto& role = request.role;
  const auto name = column.name();
  const auto decision = policy.decide(role, column.class_name, name);
  const auto* mask = std::get_if<policy::Masked>(&decision);
  codec::Json out = {
      {"column", name},
      {"class", column.class_name},
      {"write", policy.may_write(role, column.class_name, name)},
      {"search", column.searchable && policy.may_search(role, column.class_name, name)},
      {"line", policy.line_of(role, column)}};
  if (std::holds_alternative<policy::Denied>(decision)) {
    out["sees"] = "denied";
    return out;
  }
  auto sample = sample_for(mask);
  if (request.sample) {
    THERIAC_ASSIGN(sample, given_sample(mask, *request.sample));
  }
  out["sees"] = mask == nullptr ? "clear" : std::string(policy::mask_name(mask->how));
  out["sample"] = sample.value;
  std::optional<std::string> shown = sample.value;
  if (mask != nullptr) {
    std::optional<policy::PseudonymToken> token;
    if (mask->how == MaskKind::kPseudonym) {
      out["recipient"] = mask->recipient;
      THERIAC_ASSIGN(token, token_of(sample, mask->recipient));
    }
    shown = policy::apply_mask(*mask, sample.type, sample.value, token ? &*token : nullptr);
  }
  out["shown"] = shown ? codec::Json(*shown) : codec::Json(nullptr);
  return out;
}

}  // namespace

Result<codec::Json> explain(const policy::Policy& policy, const ExplainRequest& request) {
  auto out = codec::Json::array();
  for (const auto& column : policy.columns) {
    if (request.column && column.name() != *request.column) continue;
    THERIAC_ASSIGN(auto one, explain_column(policy, column, request));
    out.push_back(std::move(one));
  }
  if (request.column && out.empty()) return fail(Code::kNotFound, "--column");
  return out;
}

}  // namespace theriac::cli
