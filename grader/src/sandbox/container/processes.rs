//! The processes of a container.
//!
//! Owns: asking the daemon for them, and reading its rows. Must not: judge them.

use bollard::Docker;
use bollard::query_parameters::TopOptionsBuilder;

use crate::fault::Fault;
use crate::sandbox::facts::Process;

/// The container's processes, with the user ids that the host sees. None when it does not run.
pub async fn processes(client: &Docker, name: &str) -> Result<Vec<Process>, Fault> {
    let options = TopOptionsBuilder::default().ps_args("-eo pid,uid,ruid,suid,ppid,args").build();
    let top = match client.top_processes(name, Some(options)).await {
        Ok(top) => top,
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => return Ok(Vec::new()),
        Err(error) => return Err(Fault::docker(format!("listing the processes of {name}"))(error)),
    };
    Ok(top.processes.unwrap_or_default().iter().filter_map(|row| process(row)).collect())
}

/// One row of `ps -eo pid,uid,ruid,suid,ppid,args`; `uid` is the effective one (ps(1)).
fn process(row: &[String]) -> Option<Process> {
    let command = row.get(5..)?.join(" ");
    let ids: Vec<u32> = row[1..4].iter().map_while(|id| id.parse().ok()).collect();
    let [uid, real, saved] = ids[..] else { return None };
    Some(Process {
        name: program(&command),
        pid: row[0].parse().ok()?,
        uid,
        parent: row[4].parse().ok()?,
        command,
        keeps_root: uid != 0 && (real == 0 || saved == 0),
    })
}

/// The program of a command line: `/usr/sbin/nginx -g ...` and `nginx: worker process` are `nginx`.
fn program(command: &str) -> String {
    let first = command.split_whitespace().next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or(first).trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ids: [&str; 3]) -> Option<Process> {
        let words = ["17", ids[0], ids[1], ids[2], "1", "/usr/bin/node", "server.js"];
        process(&words.map(str::to_owned))
    }

    #[test]
    fn a_process_that_kept_roots_id_is_told_from_one_that_is_root_or_has_none() {
        let of = |ids| row(ids).map(|process| (process.uid, process.keeps_root));
        assert_eq!(of(["1000", "1000", "1000"]), Some((1000, false)));
        assert_eq!(of(["0", "0", "0"]), Some((0, false)));
        assert_eq!(of(["1000", "0", "1000"]), Some((1000, true)));
        assert_eq!(of(["1000", "1000", "0"]), Some((1000, true)));
        assert_eq!(of(["node", "0", "0"]), None);
    }

    #[test]
    fn a_row_gives_the_program_and_its_parent() {
        let process = row(["1", "1", "1"]).expect("a process");
        assert_eq!((process.pid, process.parent, process.name.as_str()), (17, 1, "node"));
        assert_eq!(process.command, "/usr/bin/node server.js");
    }
}
