// Answers: did it work, and if not, what was attempted on what, why did it fail, and what can the
// person do about it? A recoverable failure is a value; exceptions are for programming errors.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace ebbtide {

// A failure a person can act on. Printed as "operation subject: reason" and, on a second line,
// the remedy.
struct Error {
  std::string operation;  // what was attempted, in the infinitive: "open", "attach to"
  std::string subject;    // on what: a path, a pid, a URL
  std::string reason;     // why it failed: strerror text or a sentence part
  std::string remedy;     // what to do about it, a command if there is one; may be empty

  [[nodiscard]] std::string message() const {
    std::string text = "cannot " + operation;
    if (!subject.empty()) text += " " + subject;
    if (!reason.empty()) text += ": " + reason;
    return text;
  }
};

// Holds a T or an Error, under the names of std::expected (C++23), which this compiler lacks.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(implicit)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(implicit)

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Precondition of value(), * and ->: has_value(); of error(): !has_value().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(implicit)

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace ebbtide
