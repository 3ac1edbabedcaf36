// Answers: how does `--help` read? Like a good man page: what it does, examples first, then the
// options in groups, then exit status and files.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace ebbtide {

class ManPageFormatter : public CLI::Formatter {
 public:
  ManPageFormatter();
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_subcommand(const CLI::App* sub) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

// Description and footer of each command.
void describe_program(CLI::App& app);
void describe_leak(CLI::App& leak);
void describe_connections(CLI::App& connections);
void describe_broadcast(CLI::App& broadcast);
void describe_profile(CLI::App& profile);
void describe_report(CLI::App& report);
void describe_compare(CLI::App& compare);
void describe_heap(CLI::App& heap);
void describe_doctor(CLI::App& doctor);
void describe_review(CLI::App& review);

}  // namespace ebbtide
