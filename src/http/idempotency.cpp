#include "http/idempotency.hpp"

#include <algorithm>

#include "http/problem.hpp"

namespace theriac::http {
namespace {

/// Draft section 2.1: a structured string, "..." ; most clients send it bare.
std::optional<std::string_view> key_of(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (value.empty() || value.size() > kIdempotencyKeyBytesMax ||
      !std::ranges::all_of(value, plain)) {
    return std::nullopt;
  }
  return value;
}

/// Each part with its length, so that no two requests give the same bytes.
crypto::Digest digest_of(const Request& request) {
  crypto::Hasher hasher(crypto::HashKind::kSha256);
  const auto add = [&hasher](ByteView part) {
    Bytes size;
    append_be<std::uint64_t>(size, part.size());
    hasher.update(size);
    hasher.update(part);
  };
  add(view_of(request.method));
  add(view_of(request.target));
  add(view_of(request.field("Content-Type").value_or("")));
  add(request.body);
  return hasher.finish();
}

}  // namespace

std::size_t MemoryIdempotencyStore::size_of(const StoredResponse& response) {
  std::size_t size = response.body.size();
  for (const auto& field : response.fields) size += field.name.size() + field.value.size();
  return size;
}

void MemoryIdempotencyStore::forget(std::map<std::string, Entry>::iterator entry) {
  if (entry->second.finished) {
    bytes_ -= size_of(entry->second.response);
    finished_.erase(entry->second.age);
  }
  entries_.erase(entry);
}

Result<IdempotencyStore::Begun> MemoryIdempotencyStore::begin(const std::string& key,
                                                              const crypto::Digest& request,
                                                              std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  while (!finished_.empty()) {
    const auto oldest = entries_.find(finished_.front());
    if (now_ms - oldest->second.began_ms < limits_.keep_ms) break;
    forget(oldest);
  }
  if (const auto found = entries_.find(key); found != entries_.end()) {
    const auto& entry = found->second;
    if (entry.request != request) return Begun(Mismatch{});
    if (!entry.finished) return Begun(Running{});
    return Begun(entry.response);
  }
  if (entries_.size() >= limits_.entries_max) {
    if (finished_.empty()) return fail(Code::kBusy, "idempotency keys");
    forget(entries_.find(finished_.front()));
  }
  entries_.emplace(key, Entry{request, now_ms, false, {}, {}});
  return Begun(Fresh{});
}

Status MemoryIdempotencyStore::finish(const std::string& key, StoredResponse response) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.finished) {
    return fail(Code::kNotFound, "idempotency key");
  }
  const auto size = size_of(response);
  if (size > limits_.bytes_max) {
    entries_.erase(found);
    return fail(Code::kTooLarge, "reply to keep");
  }
  while (bytes_ + size > limits_.bytes_max) forget(entries_.find(finished_.front()));
  auto& entry = found->second;
  entry.finished = true;
  entry.response = std::move(response);
  entry.age = finished_.insert(finished_.end(), key);
  bytes_ += size;
  return {};
}

void MemoryIdempotencyStore::abandon(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && !found->second.finished) entries_.erase(found);
}

std::size_t MemoryIdempotencyStore::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::size_t MemoryIdempotencyStore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

Response answer_once(IdempotencyStore& store, Request& request, std::string_view route,
                     std::int64_t now_ms, const std::function<Response(Request&)>& handler) {
  const auto value = request.field("Idempotency-Key");
  if (!value) return handler(request);
  const ProblemContext context{.instance = request.id};
  const auto key = key_of(*value);
  if (!key) return problem_of_status(400, "Idempotency-Key", context);
  // A line feed stands in none of the three.
  std::string scoped(request.client());
  scoped.append("\n").append(route).append("\n").append(*key);
  const auto begun = store.begin(scoped, digest_of(request), now_ms);
  if (!begun) return problem_of(begun.error(), context);
  if (const auto* stored = std::get_if<StoredResponse>(&*begun)) {
    Response again{stored->status, stored->fields, stored->body};
    again.fields.push_back({"Idempotency-Replayed", "true"});
    return again;
  }
  if (std::holds_alternative<IdempotencyStore::Running>(*begun)) {
    return problem_of_status(409, "the first request with this Idempotency-Key is under way",
                             context);
  }
  if (std::holds_alternative<IdempotencyStore::Mismatch>(*begun)) {
    return problem_of_status(422, "the Idempotency-Key was used for another request", context);
  }
  Response response;
  try {
    response = handler(request);
  } catch (...) {
    store.abandon(scoped);
    throw;
  }
  const auto* body = std::get_if<Bytes>(&response.body);
  if (response.status >= 500 || body == nullptr ||
      !store.finish(scoped, {response.status, response.fields, *body})) {
    store.abandon(scoped);
  }
  return response;
}

}  // namespace theriac::http
