//! What a reader has to know about this machine before he believes a figure. Secrets of the command line stay out.

use super::{Root, doctor::nofile, probe::cores_allowed};
use crate::report::data::Environment;
use std::process::Command;

/// Options whose value is a secret, as `--secret X` or `--secret=X`.
const SECRET_OPTIONS: [&str; 4] = ["--secret", "--token", "--password", "--key"];

/// `arguments` is the command line of this process; `warnings` are the findings that the run goes on with.
pub fn environment(root: &Root, arguments: &[String], server_version: Option<String>, warnings: Vec<String>) -> Environment {
    let cpu = root.read("proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    let status = root.read("proc/self/status").unwrap_or_default();
    Environment {
        loadtest_version: env!("CARGO_PKG_VERSION").into(),
        git: git().unwrap_or_default(),
        command: without_secrets(arguments).join(" "),
        kernel: root.read("proc/sys/kernel/osrelease").unwrap_or_default().trim().into(),
        cpu: cpu.trim().into(),
        cores: u32::try_from(cores_allowed(&status).len()).unwrap_or(u32::MAX),
        memory_bytes: root.kib_line("proc/meminfo", "MemTotal").unwrap_or_default(),
        files_max: nofile(root).map_or(0, |(soft, _)| soft),
        server_version: server_version.unwrap_or_default(),
        warnings,
    }
}

/// The same arguments with `***` for passwords, secrets and tokens, also inside URLs.
pub fn without_secrets(arguments: &[String]) -> Vec<String> {
    let mut hide_next = false;
    let mut shown = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        let secret = SECRET_OPTIONS.contains(&name);
        shown.push(match () {
            () if std::mem::take(&mut hide_next) => "***".to_owned(),
            () if secret && !value.is_empty() => format!("{name}=***"),
            () => without_userinfo(argument),
        });
        hide_next = secret && value.is_empty();
    }
    shown
}

/// `https://user:password@host` keeps only its host; a list of URLs keeps all hosts.
fn without_userinfo(argument: &str) -> String {
    let hide = |part: &str| match part.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let host = rest[..end].rfind('@').map_or(rest.to_owned(), |at| format!("***{}", &rest[at..]));
            format!("{scheme}://{host}")
        }
        None => part.to_owned(),
    };
    argument.split(',').map(hide).collect::<Vec<_>>().join(",")
}

/// Commit of the checkout that the command was given in; `+` where it has changes.
fn git() -> Option<String> {
    let run = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).output().ok()?;
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    };
    let commit = run(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = run(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    Some(if changed { format!("{commit}+") } else { commit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn secrets_of_the_command_line_stay_out() {
        let given = words("loadtest run text --secret abc --token=def --target http://a:b@h:1,http://c:d@i/x --users 5 --secret file");
        let shown = without_secrets(&given).join(" ");
        assert_eq!(shown, "loadtest run text --secret *** --token=*** --target http://***@h:1,http://***@i/x --users 5 --secret ***");
    }

    #[test]
    fn this_machine_has_a_name_cores_and_memory() {
        let found = environment(&Root::default(), &words("loadtest doctor"), None, vec!["load".into()]);
        assert!(found.cores > 0 && found.memory_bytes > 1 << 20 && found.files_max > 0, "{found:?}");
        assert!(!found.kernel.is_empty(), "{found:?}");
        assert_eq!((found.command.as_str(), found.warnings.len()), ("loadtest doctor", 1));
    }
}
