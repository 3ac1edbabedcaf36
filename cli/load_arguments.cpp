#include "cli/load_arguments.h"

#include <fmt/format.h>

#include <algorithm>

namespace ebbtide {
namespace {

constexpr double max_rate = 100'000;

bool is_named(const Headers& headers, std::string_view name) {
  return std::ranges::any_of(headers, [&](const auto& header) {
    return std::ranges::equal(header.first, name, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
  });
}

bool carries_token(const TriggerPlan& trigger) {
  constexpr std::string_view token = "{token}";
  const auto has = [&](const std::string& text) { return text.find(token) != std::string::npos; };
  return has(trigger.body) || has(trigger.url.target) ||
         std::ranges::any_of(trigger.headers,
                             [&](const auto& header) { return has(header.second); });
}

}  // namespace

void define_connections(CLI::App& app, ConnectionsArguments& arguments,
                        ConnectionsOptions& options) {
  arguments.run.hold_seconds = 5;
  define_run(app, arguments.run, options.run);
  define_hold(app, arguments.run);
  define_levels(app, options);
  app.add_option("--rate", options.run.rate,
                 "open so many per second, on a schedule that a slow server does not delay")
      ->type_name("R")
      ->check(rate_between(0.01, max_rate))
      ->group("Experiment");
}

void define_levels(CLI::App& app, ConnectionsOptions& options) {
  app.add_option("--levels", options.levels, "so many connections at once, one level after another")
      ->type_name("N,N,…")
      ->delimiter(',')
      ->check(CLI::Range(1U, max_connections))
      ->default_str("10,50,100,500,1000")
      ->group("Experiment");
}

Result<void> finish_connections(const CLI::App& app, const ConnectionsArguments& arguments,
                                ConnectionsOptions& options) {
  std::ranges::sort(options.levels);
  const auto repeated = std::ranges::unique(options.levels);
  options.levels.erase(repeated.begin(), repeated.end());
  if (auto finished = finish_run(app, arguments.run, options.run); !finished) return finished;
  if (!ends_before_established(options.run.connection.close_mode)) return {};
  return Error{"use", "--close " + arguments.run.close_mode,
               "such a connection is gone before it is held", ""};
}

void define_broadcast(CLI::App& app, BroadcastArguments& arguments, BroadcastOptions& options) {
  define_run(app, arguments.run, options.run);
  define_trigger(app, arguments, options);
  app.get_option("--trigger")->required();
  app.add_option("--rate", options.trigger.rate,
                 "so many triggers per second, on a schedule; as fast as they are answered when "
                 "left out")
      ->type_name("R")
      ->check(rate_between(0.01, max_rate))
      ->group("Trigger");
}

void define_trigger(CLI::App& app, BroadcastArguments& arguments, BroadcastOptions& options) {
  TriggerPlan& trigger = options.trigger;
  app.add_option("--clients", options.clients, "connections that wait for the messages")
      ->type_name("N")
      ->check(CLI::Range(1U, max_connections))
      ->capture_default_str()
      ->group("Experiment");
  app.add_option("--slow-clients", options.run.connection.slow,
                 "so many of the clients stop reading once they are up")
      ->type_name("N")
      ->check(CLI::Range(1U, max_connections))
      ->group("Experiment");
  app.add_option("--trigger", arguments.trigger,
                 "what makes the server broadcast: \"POST URL\", or a ws:// URL to send --body to")
      ->type_name("REQUEST")
      ->group("Trigger");
  app.add_option("--body", trigger.body,
                 "its body; {token} stands for what the messages are known by, {n} for its number")
      ->type_name("TEXT")
      ->group("Trigger");
  app.add_option("--trigger-header", arguments.headers, "add a header to it, \"Name: value\"")
      ->type_name("HEADER")
      ->allow_extra_args(false)
      ->group("Trigger");
  app.add_option("--concurrency", trigger.concurrency, "so many triggers at once")
      ->type_name("N")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str()
      ->group("Trigger");
  app.add_option("--duration", arguments.duration_seconds, "trigger for so long, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.1, max_seconds))
      ->capture_default_str()
      ->group("Trigger");
  app.add_option("--count", trigger.count, "stop after so many triggers")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, max_triggers))
      ->group("Trigger");
  app.add_option("--trigger-timeout", arguments.timeout_seconds,
                 "wait at most so long for its answer, in seconds")
      ->type_name("S")
      ->check(seconds_between(0.01, max_seconds))
      ->capture_default_str()
      ->group("Trigger");
}

Result<void> finish_broadcast(const CLI::App& app, const BroadcastArguments& arguments,
                              BroadcastOptions& options) {
  if (auto finished = finish_run(app, arguments.run, options.run); !finished) return finished;
  if (!is_websocket(options.run.connection.url.scheme))
    return Error{"use", options.run.url, "messages are received over ws:// or wss:// only", ""};
  if (ends_before_established(options.run.connection.close_mode))
    return Error{"use", "--close " + arguments.run.close_mode,
                 "such a client is gone before a message comes", ""};
  if (options.run.connection.slow >= options.clients)
    return Error{"use", fmt::format("--slow-clients {}", options.run.connection.slow),
                 fmt::format("none of the {} clients would be left to read", options.clients), ""};
  auto trigger = parse_trigger(arguments.trigger);
  if (!trigger) return trigger.error();
  options.trigger.url = trigger->url;
  options.trigger.method = trigger->method;
  options.trigger.tls = options.run.connection.tls;
  options.trigger.steps = options.run.connection.steps;
  for (const std::string& text : arguments.headers) {
    auto header = parse_header(text);
    if (!header) return header.error();
    options.trigger.headers.push_back(*std::move(header));
  }
  const bool json = options.trigger.body.starts_with('{') || options.trigger.body.starts_with('[');
  if (json && !is_named(options.trigger.headers, "content-type"))
    options.trigger.headers.emplace_back("Content-Type", "application/json");
  options.trigger.duration = to_milliseconds(arguments.duration_seconds);
  options.trigger.timeout = to_milliseconds(arguments.timeout_seconds);
  if (carries_token(options.trigger)) return {};
  return Error{"use", "--trigger \"" + arguments.trigger + "\"",
               "nothing in it is {token}, so its messages could not be told from one another: put "
               "it where the server copies text into the message, as in --body "
               "'{\"minute\":1,\"text\":\"{token}\"}'",
               ""};
}

}  // namespace ebbtide
