#include "analysis/heap/declarations.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ebbtide {
namespace {

// Sorts scopes from the outside in and gives each its parent.
void nest(std::vector<LexicalScope>& scopes) {
  std::ranges::sort(scopes, [](const LexicalScope& a, const LexicalScope& b) {
    return std::tuple(a.begin, b.end, a.kind) < std::tuple(b.begin, a.end, b.kind);
  });
  for (std::uint32_t i = 1; i < scopes.size(); ++i) {
    std::uint32_t around = i - 1;
    while (around != 0 && scopes[around].end < scopes[i].end) around = scopes[around].parent;
    scopes[i].parent = around;
  }
}

// The innermost of `scopes` with begin <= offset < end, when `at_begin`; else with begin < offset.
std::uint32_t innermost(const std::vector<LexicalScope>& scopes, std::uint32_t offset,
                        bool at_begin) {
  const auto after = at_begin ? std::ranges::upper_bound(scopes, offset, {}, &LexicalScope::begin)
                              : std::ranges::lower_bound(scopes, offset, {}, &LexicalScope::begin);
  if (after == scopes.begin()) return Declarations::script_scope;
  auto scope = static_cast<std::uint32_t>(after - scopes.begin()) - 1;
  while (scope != 0 && scopes[scope].end <= offset) scope = scopes[scope].parent;
  return scope;
}

void sort_by_name(std::vector<DeclaredName>& names) {
  std::ranges::sort(names, [](const DeclaredName& a, const DeclaredName& b) {
    return std::tie(a.text, a.scope, a.offset) < std::tie(b.text, b.scope, b.offset);
  });
}

// The first of `names` that is `text` in `scope`, or else in the nearest scope after it.
const DeclaredName* first_from(const std::vector<DeclaredName>& names, std::string_view text,
                               std::uint32_t scope) {
  const auto found = std::ranges::lower_bound(
      names, std::tuple(text, scope), {},
      [](const DeclaredName& name) { return std::tuple(name.text, name.scope); });
  return found != names.end() && found->text == text ? &*found : nullptr;
}

bool is_high_surrogate_lead(unsigned char byte) { return byte >= 0xf0; }
bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

Declarations::Declarations(std::string text) : text_(std::move(text)) {
  ScannedText scanned = scan_script(text_);
  scopes_ = std::move(scanned.scopes);
  scopes_.push_back(
      {LexicalScope::Kind::script, 0, 0, static_cast<std::uint32_t>(text_.size()) + 1});
  nest(scopes_);
  for (DeclaredName& name : scanned.hoisted) {
    name.scope = innermost(scopes_, name.offset, true);
    while (scopes_[name.scope].kind == LexicalScope::Kind::block) {
      name.scope = scopes_[name.scope].parent;
    }
  }
  for (auto* names : {&scanned.variables, &scanned.fields, &scanned.globals, &scanned.exported}) {
    for (DeclaredName& name : *names) name.scope = innermost(scopes_, name.offset, true);
  }
  variables_ = std::move(scanned.variables);
  variables_.insert(variables_.end(), scanned.hoisted.begin(), scanned.hoisted.end());
  fields_ = std::move(scanned.fields);
  globals_ = std::move(scanned.globals);
  exported_ = std::move(scanned.exported);
  for (auto* names : {&variables_, &fields_, &globals_, &exported_}) sort_by_name(*names);
  lines_.push_back(0);
  for (std::uint32_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') lines_.push_back(i + 1);
  }
}

std::uint32_t Declarations::offset_of(TextPlace place) const {
  if (place.line == 0 || place.line > lines_.size()) return 0;
  std::uint32_t at = lines_[place.line - 1];
  for (std::uint32_t column = 1; column < place.column && at < text_.size(); ++column) {
    if (text_[at] == '\n') break;
    if (is_high_surrogate_lead(static_cast<unsigned char>(text_[at]))) ++column;
    ++at;
    while (at < text_.size() && is_continuation(static_cast<unsigned char>(text_[at]))) ++at;
  }
  return at;
}

TextPlace Declarations::place_of(std::uint32_t offset) const {
  const auto after = std::ranges::upper_bound(lines_, offset);
  const auto line = static_cast<std::uint32_t>(after - lines_.begin());
  std::uint32_t column = 1;
  for (std::uint32_t i = lines_[line - 1]; i < offset; ++i) {
    const auto byte = static_cast<unsigned char>(text_[i]);
    if (!is_continuation(byte)) column += is_high_surrogate_lead(byte) ? 2 : 1;
  }
  return {line, column};
}

bool Declarations::inside(std::uint32_t scope, std::uint32_t outer) const {
  return scopes_[outer].begin <= scopes_[scope].begin && scopes_[scope].end <= scopes_[outer].end;
}

std::uint32_t Declarations::scope_around(TextPlace place) const {
  return innermost(scopes_, offset_of(place), false);
}

bool Declarations::declares(std::uint32_t scope, std::string_view name) const {
  const DeclaredName* found = first_from(variables_, name, scope);
  return found != nullptr && found->scope == scope;
}

bool Declarations::runs_once(std::uint32_t scope) const {
  while (scopes_[scope].kind != LexicalScope::Kind::function) {
    if (scope == script_scope) return true;
    scope = scopes_[scope].parent;
  }
  return false;
}

std::optional<TextPlace> Declarations::variable(std::uint32_t scope, std::string_view name) const {
  for (;; scope = scopes_[scope].parent) {
    const DeclaredName* found = first_from(variables_, name, scope);
    if (found != nullptr && found->scope == scope) return place_of(found->offset);
    if (scope == script_scope) return std::nullopt;
  }
}

std::optional<TextPlace> Declarations::field(TextPlace place, std::string_view name) const {
  const std::uint32_t at = offset_of(place);
  std::uint32_t owner = innermost(scopes_, at, true);
  if (std::string_view(text_).substr(at).starts_with("class")) {
    // A class without a constructor of its own: V8 gives the place of the word.
    const auto next = std::ranges::lower_bound(scopes_, at, {}, &LexicalScope::begin);
    const auto body = std::find_if(next, scopes_.end(), [](const LexicalScope& scope) {
      return scope.kind == LexicalScope::Kind::class_body;
    });
    if (body != scopes_.end()) owner = static_cast<std::uint32_t>(body - scopes_.begin());
  }
  // A constructor that is a method: what it makes belongs to the class around it.
  for (std::uint32_t scope = owner; scope != script_scope; scope = scopes_[scope].parent) {
    if (scopes_[scope].kind != LexicalScope::Kind::class_body) continue;
    owner = scope;
    break;
  }
  if (owner == script_scope) return std::nullopt;
  const DeclaredName* found = first_from(fields_, name, owner);
  if (found == nullptr || !inside(found->scope, owner)) return std::nullopt;
  return place_of(found->offset);
}

std::optional<TextPlace> Declarations::global(std::string_view name) const {
  const DeclaredName* found = first_from(globals_, name, script_scope);
  if (found == nullptr) return std::nullopt;
  return place_of(found->offset);
}

std::optional<TextPlace> Declarations::exported(std::string_view name) const {
  const auto after = std::ranges::upper_bound(exported_, name, {}, &DeclaredName::text);
  if (after == exported_.begin() || std::prev(after)->text != name) return std::nullopt;
  return place_of(std::prev(after)->offset);
}

std::string_view Declarations::source_map_url() const {
  constexpr std::string_view mark = "//# sourceMappingURL=";
  const auto at = text_.rfind(mark);
  if (at == std::string::npos) return "";
  const std::string_view rest = std::string_view(text_).substr(at + mark.size());
  return rest.substr(0, std::min(rest.find_first_of(" \t\r\n'\"`"), rest.size()));
}

}  // namespace ebbtide
