//! The help and the error messages of the argument parser, in the caller's language.

use crate::i18n::Locale;
use crate::log;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, ArgAction, Command};
use std::error::Error as _;
use std::process::ExitCode;

/// A command with its help. The message `help-VERB` describes a verb, `help-arg-NAME` an argument.
pub fn in_words(command: Command, locale: Locale) -> Command {
    let version = flag("version", 'V', ArgAction::Version);
    verb(command.disable_version_flag(true).arg(version), locale, "help")
}

fn verb(command: Command, locale: Locale, key: &str) -> Command {
    let template = format!(
        "{{about}}\n\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        locale.text("usage")
    );
    let mut command = command
        .after_help(locale.find(&format!("{key}-after"), &[]).unwrap_or_default())
        .about(locale.text(key))
        .help_template(template)
        .subcommand_help_heading(locale.text("usage-commands"))
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(flag("help", 'h', ArgAction::Help));
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        let key = format!("{key}-{name}");
        command = command.mut_subcommand(name, |c| verb(c, locale, &key));
    }
    let args: Vec<String> = command.get_arguments().map(|a| a.get_id().to_string()).collect();
    for (at, arg) in args.into_iter().enumerate() {
        command = command.mut_arg(arg, |arg| {
            // Arguments that all verbs share come last.
            let order = if arg.is_global_set() { 100 + at } else { at };
            described(arg, locale, key).display_order(order)
        });
    }
    command
}

fn flag(name: &'static str, short: char, action: ArgAction) -> Arg {
    Arg::new(name).long(name).short(short).action(action)
}

/// An argument with its description, its values, and the default or the environment variable that replaces it. A verb can have its own text
/// for it, `help-VERB-arg-NAME`.
fn described(arg: Arg, locale: Locale, verb: &str) -> Arg {
    let heading = if arg.is_positional() {
        "usage-arguments"
    } else {
        "usage-options"
    };
    let own = locale.find(&format!("{verb}-arg-{}", arg.get_id()), &[]);
    let help = own.unwrap_or_else(|| locale.text(&format!("help-arg-{}", arg.get_id())));
    let arg = arg.help_heading(locale.text(heading));
    if !arg.get_action().takes_values() {
        return arg.help(help);
    }
    let values = arg.get_possible_values();
    let values = values
        .iter()
        .map(|value| value.get_name())
        .collect::<Vec<_>>()
        .join(", ");
    let default = arg.get_default_values().first().map(|value| value.to_string_lossy());
    let env = arg.get_env().map(|name| name.to_string_lossy());
    let notes = [
        Some(values).filter(|values| !values.is_empty()),
        default.map(|value| locale.text_with("usage-default", &[("value", &value)])),
        env.map(|name| locale.text_with("usage-env", &[("name", &name)])),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join("; "))
    };
    arg.help(help + &notes)
        .hide_possible_values(true)
        .hide_default_value(true)
        .hide_env(true)
}

/// Prints the parser's output: help and version exit with 0, a wrong command line with 2.
pub fn print_usage(error: &Error, locale: Locale) -> ExitCode {
    match what_is_wrong(error, locale) {
        Some(wrong) => log::say(&format!("ngomon: {wrong}")),
        // Nothing can be done about a closed pipe.
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The error, what would be right, and the usage of the command. `None` if help was requested.
fn what_is_wrong(error: &Error, locale: Locale) -> Option<String> {
    let given = |kind| text(error, kind).unwrap_or_default();
    let argument = given(ContextKind::InvalidArg);
    let value = given(ContextKind::InvalidValue);
    let of_argument: &[(&'static str, &str)] = &[("argument", &argument), ("value", &value)];
    let mut lines = vec![match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::Io
        | ErrorKind::Format => return None,
        ErrorKind::InvalidSubcommand => {
            let command = given(ContextKind::InvalidSubcommand);
            locale.text_with("usage-no-command", &[("command", &command)])
        }
        ErrorKind::UnknownArgument => locale.text_with("usage-no-argument", of_argument),
        ErrorKind::MissingSubcommand => locale.text("usage-command-missing"),
        ErrorKind::MissingRequiredArgument => locale.text_with("usage-argument-missing", of_argument),
        ErrorKind::ArgumentConflict => {
            let other = given(ContextKind::PriorArg);
            let key = if other == argument {
                "usage-twice"
            } else {
                "usage-conflict"
            };
            locale.text_with(key, &[("argument", &argument), ("other", &other)])
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            locale.text_with(
                "usage-value-why",
                &[("argument", &argument), ("value", &value), ("why", &why)],
            )
        }
        ErrorKind::InvalidValue if !value.is_empty() => locale.text_with("usage-value", of_argument),
        ErrorKind::TooManyValues => locale.text_with("usage-value-too-many", of_argument),
        ErrorKind::InvalidUtf8 => locale.text("usage-not-utf8"),
        // Too few values, or none.
        _ => locale.text_with("usage-value-missing", of_argument),
    }];
    for (kind, key) in [
        (ContextKind::ValidValue, "usage-valid"),
        (ContextKind::ValidSubcommand, "usage-valid"),
        (ContextKind::SuggestedSubcommand, "usage-suggested"),
        (ContextKind::SuggestedArg, "usage-suggested"),
    ] {
        let right = text(error, kind).filter(|right| !right.is_empty());
        lines.extend(right.map(|right| locale.text_with(key, &[("right", &right)])));
    }
    let mut wrong = lines.join(" ");
    // The parser's usage would list every argument here.
    let lists_all = error.kind() == ErrorKind::TooManyValues;
    let usage = given(ContextKind::Usage);
    if let Some(usage) = usage.strip_prefix("Usage: ").filter(|_| !lists_all) {
        wrong += &format!("\n{}: {usage}", locale.text("usage"));
    }
    Some(format!("{wrong}\n{}", locale.text("usage-help")))
}

/// The text of a detail that the parser adds to an error.
fn text(error: &Error, kind: ContextKind) -> Option<String> {
    Some(match error.get(kind)? {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::parse;

    /// The message for a wrong command line in both languages, without the hint at its end.
    fn usage_text(line: &str) -> [String; 2] {
        ["vi", "en"].map(|tag| {
            let locale = Locale::of_tag(tag).unwrap();
            let args = std::iter::once("ngomon").chain(line.split_whitespace());
            let error = parse(locale, args.map(Into::into)).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            let text = what_is_wrong(&error, locale).unwrap();
            let (text, hint) = text.rsplit_once('\n').unwrap();
            assert_eq!(hint, locale.text("usage-help"));
            text.to_owned()
        })
    }

    /// Each error of the arguments is reported in both languages.
    #[test]
    fn argument_errors_reported_in_both_languages() {
        for (line, vietnamese, english) in [
            (
                "keys rotat",
                "Không có lệnh “rotat”. Có phải là rotate?\nCách dùng: ngomon keys [OPTIONS] <COMMAND>",
                "There is no command “rotat”. Is it rotate?\nUsage: ngomon keys [OPTIONS] <COMMAND>",
            ),
            (
                "report --stafff",
                "Lệnh này không có “--stafff”. Có phải là --staff?\nCách dùng: ngomon report --staff",
                "This command has no “--stafff”. Is it --staff?\nUsage: ngomon report --staff",
            ),
            (
                "import units",
                "Còn thiếu: <FILE>.\nCách dùng: ngomon import <TABLE> <FILE>",
                "Missing: <FILE>.\nUsage: ngomon import <TABLE> <FILE>",
            ),
            (
                "reconcile --approve X --undo Y",
                "--approve <RUN> không dùng cùng --undo <RUN>.\nCách dùng: ngomon reconcile --approve <RUN>",
                "--approve <RUN> does not go with --undo <RUN>.\nUsage: ngomon reconcile --approve <RUN>",
            ),
            (
                "holds --as-of 2023-07-31 --as-of 2023-07-31",
                "--as-of <DAY> chỉ dùng một lần.\nCách dùng: ngomon holds [OPTIONS]",
                "--as-of <DAY> is given more than once.\nUsage: ngomon holds [OPTIONS]",
            ),
            (
                "holds --kind unit",
                "--kind <KIND> không nhận “unit”. Dùng được: citizen, official.",
                "--kind <KIND> does not take “unit”. It can be: citizen, official.",
            ),
            (
                "holds --kind",
                "--kind <KIND> cần có giá trị. Dùng được: citizen, official.",
                "--kind <KIND> needs a value. It can be: citizen, official.",
            ),
            (
                "report --staff=yes",
                "--staff không nhận thêm “yes”.",
                "--staff does not take “yes” as well.",
            ),
        ] {
            assert_eq!(usage_text(line), [vietnamese, english], "{line}");
        }
    }

    /// The Vietnamese help contains no English text of the argument parser.
    #[test]
    fn vietnamese_help_contains_no_english_parser_text() {
        for line in [
            "",
            "--help",
            "import --help",
            "serve --help",
            "keys rotate --help",
            "report --help",
            "--version",
        ] {
            let locale = Locale::of_tag("vi").unwrap();
            let args = std::iter::once("ngomon").chain(line.split_whitespace());
            let error = parse(locale, args.map(Into::into)).unwrap_err();
            assert_eq!(what_is_wrong(&error, locale), None, "{line}");
            let help = error.to_string();
            for english in [
                "Usage",
                "Commands",
                "Options:",
                "Arguments",
                "default",
                "possible",
                "env",
                "Print",
                "error:",
            ] {
                assert!(!help.contains(english), "{line}: {english} in {help}");
            }
        }
    }
}
