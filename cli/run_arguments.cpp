#include "cli/run_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/close_passes.h"

namespace ebbtide {
namespace {

CLI::Validator number_between(double low, double high, const char* unit) {
  return CLI::Validator(
      [=](const std::string& text) {
        double value = 0;
        const bool inside = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
        return inside
                   ? std::string()
                   : fmt::format("{} is not a number of {} from {} to {}", text, unit, low, high);
      },
      "");
}

void define_conversation(CLI::App& app, RunArguments& arguments, RunOptions& options) {
  const char* group = "Conversation";
  app.add_option(
         "--send", arguments.sends,
         "send TEXT; repeatable, run in the order given; {id}, also in headers and the URL: "
         "the connection's number")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--expect", arguments.expects,
                 "wait for an answer that contains TEXT; repeatable, run in the order given")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--header", arguments.headers, "add a request header, \"Name: value\"")
      ->type_name("HEADER")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--subprotocol", options.connection.subprotocol, "WebSocket subprotocol")
      ->type_name("NAME")
      ->group(group);
  app.add_flag("--deflate", options.connection.deflate, "offer permessage-deflate")->group(group);
  app.add_option("--ca", options.connection.tls.ca_file,
                 "wss, https: trust the certificates in this PEM file; the system's when left out")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->group(group);
  app.add_flag("--insecure", options.connection.tls.insecure, "wss, https: take any certificate")
      ->excludes("--ca")
      ->group(group);
  app.add_option("--timeout", arguments.timeout_seconds,
                 "for connect, upgrade and each expected answer, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.001, max_seconds))
      ->capture_default_str()
      ->group(group);
}

void define_pace(CLI::App& app, RunArguments& arguments, RunOptions& options) {
  const char* group = "Experiment";
  app.add_option("--window", options.window, "at most so many opening at once")
      ->type_name("M")
      ->check(CLI::Range(1U, max_connections))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--burst", arguments.burst, "open all at once, whatever the server's backlog")
      ->excludes("--window")
      ->group(group);
  app.add_option("--close", arguments.close_modes,
                 "how connections end: clean, fin, rst, terminate, early, half-open, "
                 "abort-handshake, wrong-path or all; of several, separated by commas, leak makes "
                 "its cycles with the first and a short pass with each of the others")
      ->type_name("MODES")
      ->capture_default_str()
      ->group(group);
  app.add_option("--close-timeout", arguments.close_timeout_seconds,
                 "wait at most so long for the server's side of a close, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.01, max_seconds))
      ->capture_default_str()
      ->group(group);
  app.add_option("--half-open-time", arguments.half_open_seconds,
                 "wait at most so long for the server to notice a silent client, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.01, max_seconds))
      ->capture_default_str()
      ->group(group);
  app.add_option("--settle-cap", arguments.settle_cap_seconds,
                 "wait at most so long for the server to settle, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.1, max_seconds))
      ->capture_default_str()
      ->group(group);
}

void define_evidence(CLI::App& app, RunArguments& arguments, RunOptions& options) {
  const char* group = "Evidence";
  app.add_option("--pid", arguments.pid,
                 "the server's process; found by the URL's port when left out")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 22))
      ->group(group);
  app.add_flag("--no-inspector", arguments.no_inspector,
               "never open Node's inspector (no forced GC; the heap census stays)")
      ->group(group);
  app.add_flag("--no-heap-census", arguments.no_heap_census,
               "never hold the server's threads to read its JavaScript heap (milliseconds each)")
      ->group(group);
  app.add_flag("--no-ebpf", arguments.no_ebpf, "observe through /proc alone")->group(group);
  app.add_flag("--allow-remote", options.allow_remote,
               "let the URL name another machine (the server itself must still run here)")
      ->group(group);
}

// --send and --expect make one list in the order they stand on the command line.
std::vector<Step> ordered_steps(const CLI::App& app, const RunArguments& arguments) {
  std::vector<Step> steps;
  std::size_t sends = 0, expects = 0;
  for (const CLI::Option* option : app.parse_order()) {
    if (option->check_name("--send"))
      steps.push_back({Step::Kind::send, arguments.sends.at(sends++)});
    else if (option->check_name("--expect"))
      steps.push_back({Step::Kind::expect, arguments.expects.at(expects++)});
  }
  return steps;
}

}  // namespace

std::chrono::milliseconds to_milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000 + 0.5));
}

CLI::Validator seconds_between(double low, double high) {
  return number_between(low, high, "seconds");
}

CLI::Validator rate_between(double low, double high) {
  return number_between(low, high, "events per second");
}

void define_run(CLI::App& app, RunArguments& arguments, RunOptions& options) {
  app.add_option("URL", arguments.url, "ws://, wss://, http://, https:// or tcp:// of the server")
      ->required();
  define_conversation(app, arguments, options);
  define_pace(app, arguments, options);
  define_evidence(app, arguments, options);
  app.add_option("-o,--output", options.output_directory, "directory for reports and recording")
      ->type_name("DIR")
      ->capture_default_str()
      ->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "print the answer only")->group("Output");
}

void define_hold(CLI::App& app, RunArguments& arguments) {
  app.add_option("--hold", arguments.hold_seconds,
                 "keep the connections up for so long, in seconds")
      ->type_name("S")
      ->check(seconds_between(0, max_seconds))
      ->capture_default_str()
      ->group("Experiment");
}

Result<void> finish_run(const CLI::App& app, const RunArguments& arguments, RunOptions& options) {
  auto url = parse_url(arguments.url);
  if (!url) return url.error();
  options.url = arguments.url;
  options.connection.url = *std::move(url);
  options.connection.steps = ordered_steps(app, arguments);
  for (const std::string& text : arguments.headers) {
    auto header = parse_header(text);
    if (!header) return header.error();
    options.connection.headers.push_back(*std::move(header));
  }
  auto modes = parse_close_modes(arguments.close_modes, options.connection.url.scheme);
  if (!modes) return modes.error();
  options.close_modes = *std::move(modes);
  options.connection.timeout = to_milliseconds(arguments.timeout_seconds);
  options.connection.close_timeout = to_milliseconds(arguments.close_timeout_seconds);
  options.connection.half_open_limit = to_milliseconds(arguments.half_open_seconds);
  options.connection = ending_in(options.close_modes.front(), std::move(options.connection));
  options.hold = to_milliseconds(arguments.hold_seconds);
  options.settle_cap = to_milliseconds(arguments.settle_cap_seconds);
  if (arguments.burst) options.window = 0;
  if (arguments.pid != 0) options.pid = arguments.pid;
  options.inspector = !arguments.no_inspector;
  options.heap_census = !arguments.no_heap_census;
  options.ebpf = !arguments.no_ebpf;
  return {};
}

Result<std::pair<std::string, std::string>> parse_header(const std::string& text) {
  const auto colon = text.find(':');
  const bool unsafe = text.find_first_of("\r\n") != std::string::npos;
  if (colon == std::string::npos || colon == 0 || unsafe)
    return Error{"use", fmt::format("--header \"{}\"", text),
                 "it is not of the form \"Name: value\"", ""};
  const auto value = text.find_first_not_of(" \t", colon + 1);
  return std::pair{text.substr(0, colon), value == std::string::npos ? "" : text.substr(value)};
}

}  // namespace ebbtide
