//! Runs plain commands, printing each first.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::paths::workspace_root;

/// A command that runs in the workspace's directory.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace_root());
    command
}

/// Cargo, of the toolchain that runs this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command("cargo", arguments)
}

/// Prints the command and runs it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| not_started(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", plain_text(command));
    }
    Ok(())
}

/// Prints the command, runs it and hands every line of its output to `on_line` after printing it.
/// Tells whether the command succeeded.
pub(crate) fn run_watched(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<bool> {
    announce(command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| not_started(command))?;
    let output = child.stdout.take().context("the child's output is a pipe")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        on_line(&line);
    }
    Ok(child.wait()?.success())
}

/// Prints the command, runs it and returns its output.
pub(crate) fn output_of(command: &mut Command) -> Result<Vec<u8>> {
    announce(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| not_started(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", plain_text(command), output.status);
    }
    Ok(output.stdout)
}

/// Whether a command exists and succeeds, without printing anything.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    command(program, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Prints a command.
pub(crate) fn announce(command: &Command) {
    println!("+ {}", plain_text(command));
}

fn not_started(command: &Command) -> String {
    format!("cannot start `{}`: is it installed?", plain_text(command))
}

/// The command as one would type it.
fn plain_text(command: &Command) -> String {
    let mut words = Vec::new();
    if let Some(directory) = command.get_current_dir().filter(|dir| **dir != workspace_root()) {
        words.push(format!("cd {} &&", quoted(&directory.to_string_lossy())));
    }
    for (name, value) in command.get_envs() {
        let value = value.unwrap_or_default().to_string_lossy().into_owned();
        words.push(format!("{}={}", name.to_string_lossy(), quoted(&value)));
    }
    words.push(quoted(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|argument| quoted(&argument.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else if word.contains('\x1f') {
        // Between flags for the compiler, which are many in one variable.
        format!("$'{}'", word.replace('\'', "\\'").replace('\x1f', "\\x1f"))
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = command("pip", &["install", "-r", "a b.txt", "it's"]);
        command.env("A", "1 2");
        assert_eq!(plain_text(&command), "A='1 2' pip install -r 'a b.txt' 'it'\\''s'");
        command.env("A", "-C\x1f-D");
        assert!(plain_text(&command).starts_with("A=$'-C\\x1f-D' pip"));
        command.current_dir("/tmp");
        assert!(plain_text(&command).starts_with("cd /tmp && A="));
    }

    #[test]
    fn a_missing_program_is_not_a_success() {
        assert!(!succeeds("no-such-program-at-all", &[]));
        assert!(run(&mut command("no-such-program-at-all", &[])).is_err());
    }
}
