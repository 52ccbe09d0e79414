//! The learner's copy of an exercise.
//!
//! Owns: the answers about files. Must not: touch files itself; `files` and `workspace` do.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::asked::{Asked, Path};
use super::super::files::{self, FileEntry};
use super::super::problem::{Problem, answered};
use super::lesson;
use crate::workspace;

/// All files of a copy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Files {
    /// What is to be written first, what is given last.
    pub files: Vec<FileEntry>,
    /// As in the pulse.
    pub state: String,
}

/// A file to save.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Save {
    /// The path below the exercise's folder.
    pub path: String,
    /// The new text.
    pub text: String,
    /// The digest of what the page has seen: the file is written only if it is still that.
    pub base: String,
}

/// What became of the copy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Started {
    /// Where it is on this machine.
    pub folder: String,
    /// Where a copy that was replaced is kept.
    pub snapshot: Option<String>,
}

/// Lists the files with their texts.
pub async fn files(State(session): State<App>, Path(id): Path<String>) -> Result<Json<Files>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let folder = workspace::folder(&session.course, &lesson);
        let state = files::state(&folder);
        let files = if folder.is_dir() { files::list(&lesson, &folder)? } else { Vec::new() };
        Ok(Files { files, state })
    })
    .await
}

/// Saves a file.
pub async fn save(
    State(session): State<App>,
    Path(id): Path<String>,
    Asked(save): Asked<Save>,
) -> Result<Json<FileEntry>, Problem> {
    answered(move || -> Result<_, Problem> {
        let lesson = lesson(&session, &id)?;
        let (folder, _) = workspace::start(&session.course, &lesson)?;
        files::write(&folder, &save.path, &save.text, &save.base)
    })
    .await
}

/// Makes the copy, if there is none.
pub async fn start(State(session): State<App>, Path(id): Path<String>) -> Result<Json<Started>, Problem> {
    answered(move || -> Result<_, Problem> {
        let (folder, _) = workspace::start(&session.course, &lesson(&session, &id)?)?;
        Ok(Started { folder: folder.display().to_string(), snapshot: None })
    })
    .await
}

/// Puts the starter back.
pub async fn reset(State(session): State<App>, Path(id): Path<String>) -> Result<Json<Started>, Problem> {
    answered(move || -> Result<_, Problem> {
        let (folder, snapshot) = workspace::reset(&session.course, &lesson(&session, &id)?)?;
        let snapshot = snapshot.map(|path| path.display().to_string());
        Ok(Started { folder: folder.display().to_string(), snapshot })
    })
    .await
}
