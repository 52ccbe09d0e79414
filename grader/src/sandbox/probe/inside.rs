//! What the helper does with files of a container.
//!
//! Owns: the scripts that go into a container's file system. Must not: let a container lead them out
//! of it.
//!
//! The helper sees the host's processes, so a link in a container (`/app -> /proc/1/root/etc`) would
//! lead it to the host's own files, and a container can put a link in the place of a folder at any
//! moment. So no path is trusted. Links are followed by hand, below the container's root, and what was
//! opened in the end is held against the kernel's list of the container's mounts: each open file says
//! on which mount it is, and no two mounts of the machine have the same number. Only then is anything
//! read or written: the open file, or names in the opened folder, by tools that do not follow links.

/// `follow PATH` sets `path` to a path with its links followed; `holds LIST` tells whether the file that
/// is open as 9 lies on one of these mounts. `mounts` are the container's, `cgroups` those of them by
/// which the kernel tells limits.
const COMMON: &str = r#"
root="/proc/$1/root"
mounts=" $(sed 's/ .*//' "/proc/$1/mountinfo" | tr '\n' ' ') "
cgroups=" $(sed -n 's/^\([0-9]*\) .* - cgroup2* .*/\1/p' "/proc/$1/mountinfo" | tr '\n' ' ') "
follow() {
    path="$root" rest="${1#/}/" hops=0
    while [ -n "$rest" ]; do
        part="${rest%%/*}" rest="${rest#*/}"
        case "$part" in
            ""|.) ;;
            ..) [ "$path" = "$root" ] || path="${path%/*}" ;;
            *) if [ -L "$path/$part" ]; then
                    hops=$((hops + 1)); [ "$hops" -le 40 ] || return 1
                    link=$(readlink "$path/$part"); case "$link" in /*) path="$root" ;; esac
                    rest="${link#/}/$rest"
                else path="$path/$part"; fi ;;
        esac
    done
}
holds() {
    while read -r key number; do
        if [ "$key" = mnt_id: ]; then case "$1" in *" $number "*) return 0 ;; esac; fi
    done < /proc/self/fdinfo/9
    return 1
}
"#;

/// Prints `name value` for each cgroup file (v1 and v2), the Unix sockets on which somebody listens (flag `SO_ACCEPTCON`,
/// 0x10000), the UDP sockets that are connected to nobody, and the raw tables of TCP. A file that the
/// learner has mounted over one of the kernel's, or a link to one of another container, is not on one
/// of the container's own cgroup mounts.
const KERNEL: &str = r#"
[ -e "$root/." ] || exit 3
cd "$root/sys/fs/cgroup" || { [ -e "$root/." ] || exit 3; exit 4; }
for file in memory.max cpu.max pids.max memory/memory.limit_in_bytes \
    cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us pids/pids.max cpuset.cpus.effective cpuset/cpuset.effective_cpus
do
    if [ -f "./$file" ]; then
        { if holds "$cgroups" && read -r value; then echo "$file $value"; fi <&9; } 9< "./$file"
    fi
done
echo "online $(cat /sys/devices/system/cpu/online)"
sed -n 's/^[0-9a-f]*: [0-9A-F]* [0-9A-F]* 00010000 /unix &/p' "/proc/$1/net/unix" 2>/dev/null
cat "/proc/$1/net/udp" "/proc/$1/net/udp6" 2>/dev/null |
    sed -n 's/^ *[0-9]*: \([0-9A-F]*:[0-9A-F]*\) 0*:0000 07 .*/udp \1/p'
cat "/proc/$1/net/tcp" 2>/dev/null || exit 3
cat "/proc/$1/net/tcp6" 2>/dev/null
[ -e "$root/." ] || exit 3
exit 0
"#;

/// Writes a file into each folder and removes it; prints `written` or the reason. The file's name cannot
/// be foreseen, so nothing can lie in its place.
const WRITE: &str = r#"
shift
attempt() {
    [ -e "$path" ] || { echo "No such file or directory"; return; }
    cd "$path" 2>/dev/null || { echo "Not a directory"; return; }
    exec 9< .
    holds "$mounts" || { echo "It leads out of the container"; return; }
    made=$(mktemp ./.grader-XXXXXXXXXX) && rm -f "$made" && echo written
}
for folder in "$@"; do
    if follow "$folder"; then said=$(attempt 2>&1); echo "${said##*: }"
    else echo "Too many levels of symbolic links"; fi
done
"#;

/// Prints the files that have the text in them, devices and sockets left out. A link is no file, and
/// `grep` follows none below the folder that it is in.
const SEARCH: &str = r#"
text=$2; shift 2
look() {
    cd "$path" && exec 9< . && holds "$mounts" || return
    if [ -L "./$name" ]; then return; fi
    if [ -d "./$name" ]; then
        cd "./$name" && exec 9< . && holds "$mounts" || return
        grep -rlsF -D skip -e "$text" . | while IFS= read -r file; do echo "${given%/}${file#.}"; done
    elif [ -f "./$name" ]; then
        exec 9< "./$name"
        if holds "$mounts" && grep -qF -e "$text" <&9; then echo "$given"; fi
    fi
}
for given in "$@"; do
    name="${given##*/}"
    if follow "${given%/*}"; then (look) 2>/dev/null; fi
done
"#;

/// The script for the kernel's limits and sockets: its argument is the container's main process.
pub fn kernel() -> String {
    format!("{COMMON}{KERNEL}")
}

/// The script that tries to write: the main process, then folders.
pub fn write() -> String {
    format!("{COMMON}{WRITE}")
}

/// The script that searches: the main process, the text, then paths.
pub fn search() -> String {
    format!("{COMMON}{SEARCH}")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    /// Runs a script on this process, as if its root were a container's.
    fn run(script: &str, arguments: &[&str]) -> String {
        let me = std::process::id().to_string();
        let output = Command::new("sh").args(["-c", script, "probe", &me]).args(arguments).output().expect("sh");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn text(path: &Path) -> &str {
        path.to_str().expect("text")
    }

    #[test]
    fn files_are_found_and_folders_written_to_as_their_container_sees_them() {
        let dir = tempfile::tempdir().expect("folder");
        let (a, link) = (dir.path().join("a"), dir.path().join("link"));
        fs::create_dir(&a).expect("folder");
        fs::write(a.join("with"), "the word").expect("write");
        fs::write(a.join("without"), "nothing").expect("write");
        std::os::unix::fs::symlink("a", &link).expect("link");
        std::os::unix::fs::symlink("with", a.join("alias")).expect("link");
        let found = run(&super::search(), &["word", text(&a), text(&a.join("with")), text(&a.join("alias"))]);
        assert_eq!(found, format!("{0}/with\n{0}/with\n", a.display()));
        let found = run(&super::search(), &["word", text(&link.join("with")), text(&link.join("without"))]);
        assert_eq!(found, format!("{}/with\n", link.display()));
        let said = run(&super::write(), &[text(&a), text(&link), text(&a.join("none")), text(&a.join("with"))]);
        assert_eq!(said, "written\nwritten\nNo such file or directory\nNot a directory\n");
        assert_eq!(fs::read_dir(&a).expect("read").count(), 3, "nothing stays");
    }

    #[test]
    fn what_lies_on_a_mount_that_is_not_the_containers_is_neither_read_nor_written() {
        // The list of mounts is empty here, as if all of them were somebody else's.
        let other = |script: String| script.replace("\"/proc/$1/mountinfo\"", "/dev/null");
        let dir = tempfile::tempdir().expect("folder");
        fs::write(dir.path().join("with"), "the word").expect("write");
        let paths = [text(dir.path()).to_owned(), text(&dir.path().join("with")).to_owned()];
        assert_eq!(run(&other(super::search()), &["word", &paths[0], &paths[1]]), "");
        assert_eq!(run(&other(super::write()), &[&paths[0]]), "It leads out of the container\n");
    }
}
