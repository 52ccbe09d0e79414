//! The command line: types only.
//!
//! Owns: names, arguments and help. Must not: do anything.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::images::ImagesCommand;
use crate::sandbox::build::BuildSettings;

/// Grades Docker exercises by what really happens in a Docker daemon.
#[derive(Debug, Parser)]
#[command(name = "grader", version = crate::VERSION, propagate_version = true)]
#[command(after_help = "Exit codes: 0 passed, 1 the submission fell short, 2 wrong usage, 3 a fault of the machine.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the lessons, and how far you are.
    List(Format),
    /// Make your copy of an exercise, under workspace/.
    Start {
        /// The lesson: lesson36, 36 or dev-vs-prod.
        lesson: String,
    },
    /// Build, run, measure and judge your exercise.
    Check(CheckArgs),
    /// Show what each layer of your images holds, costs and wastes.
    Layers(LayersArgs),
    /// Show one service in two of your stacks, measured, side by side.
    Compare(CompareArgs),
    /// Check again whenever you save a file.
    Watch(WatchArgs),
    /// Show the hints of a check: one more is open after each failed attempt.
    Hint {
        /// The lesson; left out, the one whose folder you are in.
        lesson: Option<String>,
        /// The check's id; left out, the first one that failed last time.
        check: Option<String>,
        /// Open one more hint now. Your progress notes it.
        #[arg(long)]
        more: bool,
    },
    /// Show the course's own solutions, once you have passed the lesson or given it up.
    Solution {
        /// The lesson; left out, the one whose folder you are in.
        lesson: Option<String>,
        /// The solution's name; left out, they are listed.
        name: Option<String>,
        /// Write the starter with this solution to a new folder, which you can run and grade.
        #[arg(long, value_name = "DIR")]
        copy: Option<PathBuf>,
    },
    /// Give a lesson up, to see its solutions. Your progress notes it.
    GiveUp {
        /// The lesson; left out, the one whose folder you are in.
        lesson: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Show what you have tried and passed, over time; take it to another machine.
    Progress(ProgressArgs),
    /// Put the starter's files back. What you have is kept as a snapshot.
    Reset {
        /// The lesson; left out, the one whose folder you are in.
        lesson: Option<String>,
    },
    /// Answer the questions of a lesson.
    Quiz {
        /// The lesson; left out, the one whose folder you are in.
        lesson: Option<String>,
    },
    /// The base images: what they are, make, remove, save, load.
    Images {
        /// What to do with them.
        #[command(subcommand)]
        command: ImagesCommand,
    },
    /// Look at the machine: daemon, permissions, versions, disk, clock, images; each with its fix.
    Doctor(Format),
    /// Remove what killed runs have left behind. Runs that are alive are not touched.
    Sweep,
    /// Open the course in a browser: read, answer, edit and check there. Ctrl-C ends it.
    Serve(ServeArgs),
    /// Write the course into a new folder, out of this program.
    Init {
        /// The folder; left out, docker-course.
        folder: Option<PathBuf>,
    },
    /// Say that a course may be believed: it decides what is built and run on this machine.
    Trust {
        /// The course's folder; left out, those that are trusted are listed.
        folder: Option<PathBuf>,
        /// Trust it no longer.
        #[arg(long, requires = "folder")]
        forget: bool,
    },
    /// The book.
    Book {
        /// What to do with it.
        #[command(subcommand)]
        command: BookCommand,
    },
    /// For authors of lessons.
    Dev {
        /// What to do.
        #[command(subcommand)]
        command: DevCommand,
    },
    /// Print the JSON Schema of lesson.toml, so that an editor can complete and check it.
    Schema,
    /// Print a completion script, for example `grader completions bash`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Answer mdBook as a preprocessor (`[preprocessor.grader]` in book.toml).
    #[command(hide = true)]
    Preprocess {
        /// `supports RENDERER`, or nothing to read a book from standard input.
        arguments: Vec<String>,
    },
}

/// `grader check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The lesson; left out, the one whose folder you are in.
    pub lesson: Option<String>,
    /// The folder to grade, instead of your copy under workspace/.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// Measure everything, also what has not changed since it was measured.
    #[arg(long)]
    pub fresh: bool,
    /// For people, one JSON object for programs, or JUnit XML for CI.
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    pub format: ReportFormat,
    /// How builds run.
    #[command(flatten)]
    pub builds: BuildArgs,
}

/// What `grader layers` and `grader compare` have in common.
#[derive(Debug, Args)]
pub struct LookArgs {
    /// The lesson; left out, the one whose folder you are in.
    pub lesson: Option<String>,
    /// The folder to look at, instead of your copy under workspace/.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// For people, one JSON object for programs, or a picture.
    #[arg(long, value_enum, default_value_t = LookFormat::Human)]
    pub format: LookFormat,
    /// Write to this file, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How builds run.
    #[command(flatten)]
    pub builds: BuildArgs,
}

/// `grader watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The lesson; left out, the one whose folder you are in.
    pub lesson: Option<String>,
    /// The folder to watch, instead of your copy under workspace/.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// Compare the files this often where no file events arrive.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub poll: u64,
    /// How builds run.
    #[command(flatten)]
    pub builds: BuildArgs,
}

/// `grader layers`.
#[derive(Debug, Args)]
pub struct LayersArgs {
    /// What both looking commands have.
    #[command(flatten)]
    pub look: LookArgs,
    /// The image, by its name in the lesson; left out, all of them.
    pub image: Option<String>,
    /// Show the layers of the base image, too.
    #[arg(long)]
    pub base: bool,
}

/// `grader compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What both looking commands have.
    #[command(flatten)]
    pub look: LookArgs,
    /// Two stacks, such as dev,prod; left out, those that the lesson compares.
    #[arg(long, value_name = "LEFT,RIGHT", value_delimiter = ',')]
    pub stacks: Vec<String>,
    /// The service; left out, the one that the lesson compares.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}

/// The forms of what the looking commands show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LookFormat {
    /// Text.
    Human,
    /// JSON.
    Json,
    /// A picture for browsers and documents.
    Svg,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text.
    Human,
    /// JSON.
    Json,
    /// JUnit XML.
    Junit,
}

/// `grader progress`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ProgressArgs {
    /// The lesson whose attempts are shown; left out, all lessons in short.
    pub lesson: Option<String>,
    /// How it is written.
    #[command(flatten)]
    pub format: Format,
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<ProgressCommand>,
}

/// What can be done with progress.
#[derive(Debug, Subcommand)]
pub enum ProgressCommand {
    /// Write everything to a file: attempts with their reports, hints, answers.
    Export {
        /// The file, which must not exist; `-` is standard output.
        file: PathBuf,
    },
    /// Add what such a file holds to what is here. Doing it twice changes nothing.
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// How builds run.
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {
    /// Give build steps no network: everything must come from the base images' package caches.
    #[arg(long)]
    pub offline: bool,
    /// End a build after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = crate::policy::limits::BUILD_SECONDS)]
    pub build_seconds: u64,
    /// Bound the memory, CPU and processes of build steps, or build nothing. For machines that are shared.
    #[arg(long, env = "GRADER_BOUNDED_BUILDS", value_parser = clap::builder::BoolishValueParser::new())]
    pub bounded_builds: bool,
}

impl BuildArgs {
    /// The settings that they stand for.
    #[must_use]
    pub fn settings(&self) -> BuildSettings {
        BuildSettings { network: !self.offline, seconds: self.build_seconds, bounded: self.bounded_builds }
    }
}

/// How results are written.
#[derive(Debug, Clone, Copy, Args)]
pub struct Format {
    /// For people, or one JSON object for programs.
    #[arg(long, value_enum, default_value_t = FormatName::Human)]
    pub format: FormatName,
}

/// The names of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Text.
    Human,
    /// JSON.
    Json,
}

/// `grader book`.
#[derive(Debug, Subcommand)]
pub enum BookCommand {
    /// Build the book as HTML that needs no server.
    Build {
        /// The folder to write to; left out, book/book.
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
    },
}

/// `grader serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The port on 127.0.0.1; left out, 8636, or any free one where that is taken.
    #[arg(long)]
    pub port: Option<u16>,
    /// Do not open a browser.
    #[arg(long)]
    pub no_open: bool,
    /// Let lessons have a terminal in the page. Whoever can open the address can then run commands as you.
    #[arg(long)]
    pub terminal: bool,
    /// How builds run.
    #[command(flatten)]
    pub builds: BuildArgs,
}

/// `grader dev`.
#[derive(Debug, Subcommand)]
pub enum DevCommand {
    /// Prove a lesson's checks: the starter fails, solutions pass, wrong ones fail as they say.
    Check(ProofArgs),
    /// Write down the evidence of a kind's first solution, for `limits.toml` to vary.
    Record {
        /// The kind's folder, such as tests/checks/image-size.
        folder: String,
        /// How builds run.
        #[command(flatten)]
        builds: BuildArgs,
    },
    /// Grade every submission several times on a busy machine: does any verdict change?
    Audit(AuditArgs),
    /// Write the files of a new kind of check: its source, and a fixture that proves it.
    NewCheck {
        /// The kind's name in kebab-case, such as runs-as-non-root.
        kind: String,
    },
    /// Write the files of a new lesson: its page, and an exercise that can be graded.
    NewLesson {
        /// The lesson's number.
        #[arg(value_parser = clap::value_parser!(u32).range(1..=99))]
        number: u32,
        /// The name in words, in kebab-case, such as dev-vs-prod.
        slug: String,
        /// The title; left out, the slug's words.
        #[arg(long)]
        title: Option<String>,
    },
    /// Run what lessons' pages show, and the predictions of their quizzes, and compare what is printed.
    Transcripts {
        /// The lesson; left out, all lessons.
        lesson: Option<String>,
        /// Write what was printed into the page, where it differs.
        #[arg(long)]
        bless: bool,
    },
    /// Show which heading of the source documents is taught where, and terms that are used too early.
    Coverage(Format),
    /// Write the book's pages that are made from code: the kinds of check, the report of a check.
    Reference,
}

/// `grader dev check`.
#[derive(Debug, Args)]
pub struct ProofArgs {
    /// The lesson, or a folder with a lesson.toml; left out, all lessons.
    pub lesson: Option<String>,
    /// Only submissions whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// How many submissions are graded at the same time.
    #[arg(long, default_value_t = 2)]
    pub jobs: usize,
    /// Measure everything in each submission, also what it has in common with one that was measured.
    #[arg(long)]
    pub fresh: bool,
    /// How builds run.
    #[command(flatten)]
    pub builds: BuildArgs,
}

/// `grader dev audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The lesson.
    pub lesson: String,
    /// How often each submission is graded.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Only submissions whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Busy threads beside the grader, with a build for every two of them; left out, two threads per core.
    #[arg(long, value_name = "THREADS")]
    pub load: Option<usize>,
    /// How the results are written.
    #[command(flatten)]
    pub format: Format,
    /// How builds run.
    #[command(flatten)]
    pub builds: BuildArgs,
}
