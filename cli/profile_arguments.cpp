#include "cli/profile_arguments.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>

namespace ebbtide {
namespace {

using Words = std::vector<std::string>;

constexpr const char* default_config = "ebbtide.toml";
constexpr const char* common = "";  // the name of the file's top level beside its sections

// Options as words of a command line, by section.
using Sections = std::map<std::string, Words>;

std::set<const CLI::Option*> options_of(const CLI::App& app) {
  const auto all = app.get_options();
  return {all.begin(), all.end()};
}

// The options that `define` adds.
std::set<const CLI::Option*> added_by(CLI::App& app, auto&& define) {
  const auto before = options_of(app);
  define();
  std::set<const CLI::Option*> added;
  std::ranges::set_difference(options_of(app), before, std::inserter(added, added.end()));
  return added;
}

std::string long_name(const CLI::Option& option) {
  const auto& names = option.get_lnames();
  return names.empty() ? option.get_name() : "--" + names.front();
}

// What was given on the command line, in its order, by section; `--config` is none of any run's.
Sections given_words(const CLI::App& app, const ProfileArguments& arguments) {
  Sections sections;
  std::map<const CLI::Option*, std::size_t> seen;
  for (const CLI::Option* option : app.parse_order()) {
    const std::string name = long_name(*option);
    if (name == "--config" || name == "URL") continue;
    const char* section = common;
    if (arguments.leak_only.contains(option)) section = "leak";
    if (arguments.connections_only.contains(option)) section = "connections";
    if (arguments.broadcast_only.contains(option)) section = "broadcast";
    Words& words = sections[section];
    if (option->get_items_expected_max() == 0) {  // a flag
      words.push_back(name);
      continue;
    }
    const auto occurrences =
        static_cast<std::size_t>(std::ranges::count(app.parse_order(), option));
    const auto& results = option->results();
    const std::size_t at = seen[option]++;
    if (occurrences == results.size()) {
      words.push_back(name + "=" + results[at]);
    } else if (at == 0) {  // a list in one word
      words.push_back(fmt::format("{}={}", name, fmt::join(results, ",")));
    }
  }
  return sections;
}

// Something wrong in the file, with where.
Error wrong(const std::string& file, const toml::node& node, const std::string& what) {
  return Error{"use", fmt::format("{}, line {}", file, node.source().begin.line), what, ""};
}

Result<std::string> text_of(const std::string& file, const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return fmt::format("{}", *number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  return wrong(file, node, "it is neither a text nor a number");
}

// steps = [{send = "…"}, {expect = "…"}]
Result<Words> step_words(const std::string& file, const toml::node& node) {
  const toml::array* steps = node.as_array();
  const std::string form = "steps is a list like [{send = \"hello\"}, {expect = \"welcome\"}]";
  if (steps == nullptr) return wrong(file, node, form);
  Words words;
  for (const toml::node& each : *steps) {
    const toml::table* step = each.as_table();
    if (step == nullptr || step->size() != 1) return wrong(file, each, form);
    const auto only = step->begin();
    const std::string_view kind = only->first.str();
    const auto value = only->second.value_exact<std::string>();
    if (!value || (kind != "send" && kind != "expect")) return wrong(file, each, form);
    words.push_back(fmt::format("--{}={}", kind, *value));
  }
  return words;
}

Result<Words> words_of(const std::string& file, std::string_view key, const toml::node& node) {
  if (key == "steps") return step_words(file, node);
  if (const auto flag = node.value_exact<bool>())
    return *flag ? Words{fmt::format("--{}", key)} : Words{};
  Words words;
  const auto add = [&](const toml::node& each) -> Result<void> {
    auto text = text_of(file, each);
    if (!text) return text.error();
    words.push_back(fmt::format("--{}={}", key, *text));
    return {};
  };
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    if (auto added = add(node); !added) return added.error();
    return words;
  }
  for (const toml::node& each : *list) {
    if (auto added = add(each); !added) return added.error();
  }
  return words;
}

struct Config {
  std::string url;
  Sections sections;
};

Result<Config> read_config(const std::string& file) {
  toml::table table;
  try {
    table = toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    return Error{"read", fmt::format("{}, line {}", file, error.source().begin.line),
                 std::string(error.description()), ""};
  }
  Config config;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "url") {
      const auto text = node.value_exact<std::string>();
      if (!text) return wrong(file, node, "url is a text");
      config.url = *text;
    } else if (const toml::table* section = node.as_table()) {
      if (name != "leak" && name != "connections" && name != "broadcast")
        return wrong(file, node, "the sections are leak, connections and broadcast");
      for (const auto& [option, value] : *section) {
        auto words = words_of(file, option.str(), value);
        if (!words) return words.error();
        std::ranges::copy(*words, std::back_inserter(config.sections[name]));
      }
    } else {
      auto words = words_of(file, name, node);
      if (!words) return words.error();
      std::ranges::copy(*words, std::back_inserter(config.sections[common]));
    }
  }
  return config;
}

std::string_view name_in(const std::string& word) {
  return std::string_view(word).substr(0, word.find('='));
}

bool is_step(std::string_view name) { return name == "--send" || name == "--expect"; }

// The file's words, without those that the command line has replaced, then the command line's.
Words merged(const Words& from_file, const Words& given) {
  const auto replaced = [&](const std::string& word) {
    return std::ranges::any_of(given, [&](const std::string& each) {
      return name_in(each) == name_in(word) || (is_step(name_in(each)) && is_step(name_in(word)));
    });
  };
  Words words;
  std::ranges::remove_copy_if(from_file, std::back_inserter(words), replaced);
  std::ranges::copy(given, std::back_inserter(words));
  return words;
}

Result<std::optional<Config>> find_config(const ProfileArguments& arguments) {
  std::error_code ignored;
  if (arguments.config.empty() && !std::filesystem::exists(default_config, ignored))
    return std::optional<Config>();
  auto config = read_config(arguments.config.empty() ? default_config : arguments.config);
  if (!config) return config.error();
  return std::optional(*std::move(config));
}

// The options of one run and its command line; what is wrong with them names the section.
template <class Options>
Result<void> parse_part(const Words& words, Options& options, std::string& line) {
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  const int count = static_cast<int>(arguments.size());
  auto parsed = parse_command_line(count, arguments.data());
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    constexpr std::string_view prefix = "ebbtide: ";
    std::string text = answer->text.substr(0, answer->text.find('\n'));
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
    return Error{"use", "the options of " + words[1], text, ""};
  }
  options = std::get<Options>(std::get<Command>(std::move(parsed)));
  line = quote_command_line(count, arguments.data());
  return {};
}

}  // namespace

void define_profile(CLI::App& app, ProfileArguments& arguments) {
  app.add_option("--config", arguments.config,
                 "what to run, as TOML; ebbtide.toml of this directory when left out")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  define_run(app, arguments.run, arguments.run_options);
  app.get_option("URL")->required(false);
  arguments.leak_only =
      added_by(app, [&] { define_leak(app, arguments.leak_arguments, arguments.leak); });
  arguments.connections_only = added_by(app, [&] { define_levels(app, arguments.connections); });
  arguments.broadcast_only = added_by(
      app, [&] { define_trigger(app, arguments.broadcast_arguments, arguments.broadcast); });
}

Result<ProfileOptions> finish_profile(const CLI::App& app, const ProfileArguments& arguments) {
  auto found = find_config(arguments);
  if (!found) return found.error();
  const Config config = found->value_or(Config{});
  const Sections given = given_words(app, arguments);
  const std::string url = arguments.run.url.empty() ? config.url : arguments.run.url;
  if (url.empty())
    return Error{"profile", "no server", "neither the command line nor a file names its URL", ""};

  const auto words_in = [](const Sections& sections, const char* name) {
    const auto section = sections.find(name);
    return section == sections.end() ? Words() : section->second;
  };
  const auto words_for = [&](const char* name) {
    const Words shared = merged(words_in(config.sections, common), words_in(given, common));
    const Words own = merged(words_in(config.sections, name), words_in(given, name));
    Words words{"ebbtide", name, url};
    std::ranges::copy(merged(shared, own), std::back_inserter(words));
    return words;
  };
  ProfileOptions options;
  auto parsed = parse_part(words_for("connections"), options.connections, options.connections_line);
  if (parsed) parsed = parse_part(words_for("leak"), options.leak, options.leak_line);
  const Words broadcast = words_for("broadcast");
  const bool has_trigger = std::ranges::any_of(
      broadcast, [](const std::string& word) { return name_in(word) == "--trigger"; });
  if (parsed && has_trigger)
    parsed = parse_part(broadcast, options.broadcast.emplace(), options.broadcast_line);
  if (!parsed) return parsed.error();
  return options;
}

}  // namespace ebbtide
