//! Reads what `/proc` says about a process's rights and namespaces.
//!
//! Owns: capability names and the format of `/proc/PID/status` and `/proc/PID/ns`. Must not: ask
//! the daemon.

use crate::sandbox::facts::{Namespaces, Rights};

/// Prints `own|host KIND KIND:[INODE]` for each namespace, and `cgroup PATH`. The host's are those
/// of the main process's parent: it belongs to the daemon, whose namespaces are what `host` means.
pub const NAMESPACES_SCRIPT: &str = r#"
parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status")
for of in "own $1" "host $parent"; do
    set -- $of
    for kind in cgroup ipc mnt net pid user uts; do
        link=$(readlink "/proc/$2/ns/$kind") && echo "$1 $kind $link"
    done
    [ "$1" = own ] && grep -E -e ':(memory|pids):' -e '^0::' "/proc/$2/cgroup" | head -n 1
done
"#;

/// The namespaces that the script printed; `None` when some are missing.
#[must_use]
pub fn namespaces(text: &str) -> Option<Namespaces> {
    let mut found = Namespaces::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [whose, kind, link] = words[..] {
            let inode = link.rsplit_once('[').and_then(|(_, rest)| rest.trim_end_matches(']').parse().ok());
            let map = if whose == "own" { &mut found.own } else { &mut found.host };
            map.extend(inode.map(|inode| (kind.to_owned(), inode)));
        } else if let Some((_, path)) = line.rsplit_once(':') {
            path.clone_into(&mut found.cgroup);
        }
    }
    (found.own.keys().eq(found.host.keys()) && !found.own.is_empty() && !found.cgroup.is_empty()).then_some(found)
}

/// The gateway of the IPv4 default route in the text of `/proc/PID/net/route`: one line per route,
/// `Iface Destination Gateway Flags RefCnt Use Metric Mask ...`, addresses as hexadecimal numbers in
/// the machine's byte order. The error is the text when it is no such table.
pub fn gateway(table: &str) -> Result<Option<String>, String> {
    let mut lines = table.lines();
    if !lines.next().is_some_and(|head| head.starts_with("Iface")) {
        return Err(table.trim().to_owned());
    }
    let default = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.get(1) == Some(&"00000000") && words.get(7) == Some(&"00000000"));
    let hex = default.and_then(|words| u32::from_str_radix(words.get(2)?, 16).ok());
    Ok(hex.map(|number| std::net::Ipv4Addr::from(number.to_ne_bytes()).to_string()))
}

/// The rights that `/proc/PID/status` shows; `None` when they are not all there.
#[must_use]
pub fn rights(status: &str) -> Option<Rights> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let set = |name: &str| Some(names(u64::from_str_radix(field(name)?, 16).ok()?));
    Some(Rights {
        effective: set("CapEff")?,
        bounding: set("CapBnd")?,
        no_new_privs: field("NoNewPrivs")? == "1",
        // 2 is "filter mode" (seccomp(2)). A kernel without it has no such line.
        seccomp: field("Seccomp") == Some("2"),
    })
}

fn names(bits: u64) -> Vec<String> {
    let name = |bit: usize| CAPABILITIES.get(bit).map_or_else(|| format!("CAP_{bit}"), ToString::to_string);
    (0..64).filter(|bit| bits & (1 << bit) != 0).map(name).collect()
}

/// Capabilities by their bits (capabilities(7), `linux/capability.h`).
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_default_capabilities_are_named() {
        let rights = rights("CapEff:\t00000000a80425fb\nCapBnd:\t0000000000000400\nNoNewPrivs:\t1\nSeccomp:\t2\n")
            .expect("rights");
        assert_eq!(rights.effective.len(), 14);
        assert!(
            rights.effective.contains(&"SETFCAP".to_owned()) && !rights.effective.contains(&"SYS_ADMIN".to_owned())
        );
        assert_eq!(rights.bounding, ["NET_BIND_SERVICE"]);
        assert!(rights.no_new_privs && rights.seccomp);
    }

    #[test]
    fn the_default_route_is_told_from_none_and_from_what_is_no_table() {
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let own = "eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let default = "eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        assert_eq!(gateway(&format!("{head}{default}{own}")), Ok(Some("172.18.0.1".into())));
        assert_eq!(gateway(&format!("{head}{own}")), Ok(None));
        assert!(gateway("cat: /proc/1/net/route: No such file").is_err());
    }

    #[test]
    fn namespaces_and_the_cgroup_are_read() {
        let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
        let line = |whose: &str, kind: &str, id: u64| format!("{whose} {kind} {kind}:[{id}]\n");
        let own: String = kinds.iter().map(|kind| line("own", kind, 4_026_532_201)).collect();
        let host: String = kinds.iter().map(|kind| line("host", kind, 4_026_531_836)).collect();
        let whole = format!("{own}8:pids:/docker/abc\n{host}");
        let found = namespaces(&whole).expect("all of them");
        assert_eq!((found.own["pid"], found.host["pid"]), (4_026_532_201, 4_026_531_836));
        assert_eq!(found.cgroup, "/docker/abc");
        let cut = whole.len() - line("host", "uts", 4_026_531_836).len();
        assert_eq!(namespaces(&whole[..cut]), None, "an id that was not read is not one that differs");
        assert_eq!(namespaces(&format!("{own}{host}")), None);
    }
}
