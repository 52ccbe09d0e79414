//! A registry on this machine that has one image.
//!
//! Owns: as much of the registry's protocol as a daemon asks for when it pulls. Must not: take anything in.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;
use sha2::{Digest, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The registry. It answers until the program ends, or until it is told to be silent.
pub struct Registry {
    /// Where it is reached: `127.0.0.1:PORT`.
    pub host: String,
    /// The digest of its image.
    pub digest: String,
    silent: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Registry {
    /// A registry with the image `base:2`, in which the file `/from-the-registry` lies.
    #[must_use]
    pub fn start() -> Self {
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o644);
        layer.append_data(&mut header, "from-the-registry", &b"2\n"[..]).expect("a file");
        let layer = layer.into_inner().expect("an archive");
        let config = json!({
            "architecture": architecture(), "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
            "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "COPY from-the-registry /"}],
        });
        let config = config.to_string().into_bytes();
        let part = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": part("application/vnd.oci.image.config.v1+json", &config),
            "layers": [part("application/vnd.oci.image.layer.v1.tar", &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let of_image = digest(&manifest);
        let answers = BTreeMap::from([
            ("/v2/".to_owned(), b"{}".to_vec()),
            ("/v2/base/manifests/2".to_owned(), manifest.clone()),
            (format!("/v2/base/manifests/{of_image}"), manifest),
            (format!("/v2/base/blobs/{}", digest(&config)), config),
            (format!("/v2/base/blobs/{}", digest(&layer)), layer),
        ]);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let silent = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let is_silent = silent.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever asks in another protocol gets an answer that says so.
                if !is_silent.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = answer(stream, &answers);
                }
            }
        });
        Self { host, digest: of_image, silent }
    }

    /// From now on, whoever asks is hung up on.
    pub fn be_silent(&self) {
        self.silent.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

fn answer(mut stream: TcpStream, answers: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let body = answers.get(path);
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let unknown = json!({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).to_string();
    let body = body.cloned().unwrap_or_else(|| unknown.into_bytes());
    let kind = if path.contains("/manifests/") { MANIFEST } else { "application/octet-stream" };
    let kind = if status.starts_with("404") { "application/json" } else { kind };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len())?;
    write!(stream, "Docker-Content-Digest: {}\r\nConnection: close\r\n\r\n", digest(&body))?;
    if method == "HEAD" { Ok(()) } else { stream.write_all(&body) }
}

fn architecture() -> &'static str {
    if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
