//! Signals by their names and numbers.
//!
//! Owns: how Docker spells a stop signal, and what a process does with it. Must not: send any.

/// Signals of Linux on the machines that Docker runs on, by their numbers from 1 (signal(7)).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// The number of a signal as `STOPSIGNAL` and `stop_signal` may spell it: `SIGTERM`, `term`, `15`,
/// `SIGRTMIN+3`. Nothing means SIGTERM.
#[must_use]
pub fn number(text: &str) -> Option<u8> {
    let text = text.trim().to_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    if name.is_empty() {
        return Some(15);
    }
    if let Some(more) = name.strip_prefix("RTMIN") {
        return more.strip_prefix('+').map_or(Some(0), |more| more.parse().ok()).map(|more: u8| 34 + more);
    }
    let named = NAMES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at + 1).ok());
    named.or_else(|| name.parse().ok())
}

/// The usual name of a signal.
#[must_use]
pub fn name(number: u8) -> String {
    match NAMES.get(usize::from(number).wrapping_sub(1)) {
        Some(name) => format!("SIG{name}"),
        None => format!("signal {number}"),
    }
}

/// Whether a process waits for a signal, by a handler or as `sigwait` does: the text is that of
/// `/proc/PID/status`. The first process of a container gets no other signals (`pid_namespaces(7)`).
#[must_use]
pub fn is_awaited(status: &str, number: u8) -> bool {
    let set = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
    };
    let bit = 1_u64.checked_shl(u32::from(number).wrapping_sub(1)).unwrap_or(0);
    (set("SigCgt") | set("SigBlk")) & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_as_docker_reads_them() {
        let read = ["", "SIGTERM", "int", "9", "SIGRTMIN+3", "SIGNOTHING"].map(number);
        assert_eq!(read, [Some(15), Some(15), Some(2), Some(9), Some(37), None]);
        assert_eq!((name(15), name(37)), ("SIGTERM".to_owned(), "signal 37".to_owned()));
    }

    #[test]
    fn a_handler_and_a_blocked_signal_are_told_from_neither() {
        // Node has handlers for SIGTERM and SIGINT; a shell as first process waits for neither.
        let node = "SigBlk:\t0000000000000000\nSigCgt:\t0000000108004602\n";
        let shell = "SigBlk:\t0000000000000000\nSigCgt:\t0000000000010002\n";
        let init = "SigBlk:\tfffffffe7ffbfeff\nSigCgt:\t0000000000000000\n";
        assert!(is_awaited(node, 15) && is_awaited(init, 15) && !is_awaited(shell, 15));
        assert!(!is_awaited("", 15));
    }
}
