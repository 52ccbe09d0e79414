//! The `grader` program: parse, run, exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use grader::cli::{BookCommand, Cli, Command, DevCommand, LookFormat, ReportFormat};
use grader::course::quiz::Quiz;
use grader::fault::Fault;
use grader::progress::Progress;
use grader::shown::{self, Guarded};
use grader::{book, commands, report};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let looked = |format| if format == LookFormat::Json { ReportFormat::Json } else { ReportFormat::Human };
    let format = match &cli.command {
        Command::Check(args) => args.format,
        Command::Layers(args) => looked(args.look.format),
        Command::Compare(args) => looked(args.look.format),
        _ => ReportFormat::Human,
    };
    let mut out = Guarded::new(anstream::stdout());
    let result = run(cli, &mut out);
    let _ = out.flush();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            // Who reads the report reads it on standard output also when there is nothing to report.
            let _ = match format {
                ReportFormat::Human => Ok(()),
                ReportFormat::Json => report::NotRun::new(&fault).write(&mut out),
                ReportFormat::Junit => report::junit::write_not_run(&fault, &mut out),
            };
            let _ = out.flush();
            anstream::eprintln!("grader: {}\n{}", shown::lines(&fault.to_string()), shown::lines(&fault.remedy()));
            ExitCode::from(fault.exit_code())
        }
    }
}

fn run(cli: Cli, out: &mut dyn Write) -> Result<u8, Fault> {
    match cli.command {
        Command::List(format) => commands::list::run(&commands::course()?, format.format, out),
        Command::Start { lesson } => {
            let course = commands::course()?;
            commands::start::start(&course, &course.lesson(&lesson)?, out)
        }
        Command::Check(args) => wait(commands::check::run(&args, out)),
        Command::Layers(args) => wait(commands::layers::run(&args, out)),
        Command::Compare(args) => wait(commands::compare::run(&args, out)),
        Command::Watch(args) => wait(commands::watch::run(&args, out)),
        Command::Hint { lesson, check, more } => {
            let course = commands::course()?;
            commands::hint::run(&commands::lesson(&course, lesson.as_deref())?, check.as_deref(), more, out)
        }
        Command::Solution { lesson, name, copy } => {
            let course = commands::course()?;
            let lesson = commands::lesson(&course, lesson.as_deref())?;
            commands::solution::run(&course, &lesson, name.as_deref(), copy.as_deref(), out)
        }
        Command::GiveUp { lesson, yes } => {
            let course = commands::course()?;
            commands::give_up::run(&commands::lesson(&course, lesson.as_deref())?, yes, out)
        }
        Command::Progress(args) => commands::progress::run(&args, out),
        Command::Reset { lesson } => {
            let course = commands::course()?;
            commands::start::reset(&course, &commands::lesson(&course, lesson.as_deref())?, out)
        }
        Command::Quiz { lesson } => quiz(lesson.as_deref()),
        Command::Images { command } => {
            wait(async { commands::images::run(&commands::course()?.root, command, out).await })
        }
        Command::Doctor(format) => {
            wait(async { commands::doctor::run(&commands::course()?.root, format.format, out).await })
        }
        Command::Sweep => wait(commands::sweep::run(out)),
        Command::Serve(args) => wait(async { grader::serve::run(&args, commands::course()?, out).await }),
        Command::Init { folder } => commands::init::run(folder.as_deref(), out),
        Command::Trust { folder, forget } => commands::trust::run(folder.as_deref(), forget, out),
        Command::Book { command: BookCommand::Build { out: to } } => {
            let built = book::build(&commands::course()?.root, to.as_deref(), book::Site::Alone)?;
            writeln!(out, "The book is in {}", built.display()).map_err(Fault::file("standard output"))?;
            Ok(0)
        }
        Command::Dev { command } => dev(command, out),
        Command::Schema => {
            writeln!(out, "{:#}", grader::course::schema::of_lesson()).map_err(Fault::file("standard output"))?;
            Ok(0)
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "grader", &mut std::io::stdout());
            Ok(0)
        }
        Command::Preprocess { arguments } => preprocess(&arguments),
    }
}

/// The tools of authors.
fn dev(command: DevCommand, out: &mut dyn Write) -> Result<u8, Fault> {
    match command {
        DevCommand::Check(args) => wait(async {
            let course = commands::course()?;
            let named: Vec<String> = match &args.lesson {
                Some(lesson) => vec![lesson.clone()],
                None => course.names()?.into_iter().map(|name| name.id).collect(),
            };
            let mut all_well = true;
            for name in named {
                let lesson = commands::dev::lesson(&course, &name)?;
                all_well &= commands::dev::check(&course, &lesson, &args, out).await?;
            }
            Ok(u8::from(!all_well))
        }),
        DevCommand::Record { folder, builds } => wait(async {
            let course = commands::course()?;
            let lesson = commands::dev::lesson(&course, &folder)?;
            commands::dev::record::record(&course, &lesson, &builds.settings(), out).await
        }),
        DevCommand::Audit(args) => wait(async {
            let course = commands::course()?;
            commands::dev::audit::run(&course, &commands::dev::lesson(&course, &args.lesson)?, &args, out).await
        }),
        DevCommand::NewCheck { kind } => commands::dev::new_check::run(&commands::course()?, &kind, out),
        DevCommand::NewLesson { number, slug, title } => {
            commands::dev::new_lesson::run(&commands::course()?, number, &slug, title.as_deref(), out)
        }
        DevCommand::Reference => commands::dev::reference::run(&commands::course()?, out),
        DevCommand::Coverage(format) => commands::dev::coverage::run(&commands::course()?, format.format, out),
        DevCommand::Transcripts { lesson, bless } => wait(async {
            let course = commands::course()?;
            Ok(u8::from(!commands::dev::transcripts::run(&course, lesson.as_deref(), bless, out).await?))
        }),
    }
}

fn quiz(named: Option<&str>) -> Result<u8, Fault> {
    let course = commands::course()?;
    let lesson = commands::lesson(&course, named)?;
    let id = lesson.spec.id.clone();
    let quiz = Quiz::load(&course.root, &course.page(&lesson))?;
    let progress = Progress::open()?;
    let mut keep = |question: &str, answer: &grader::course::quiz::StoredAnswer| progress.answer(&id, question, answer);
    let kept = commands::quiz::run(&id, &quiz, &progress.answers(&id)?, &mut keep)?;
    Ok(u8::from(!commands::quiz::all_right(&quiz, &kept)))
}

fn preprocess(arguments: &[String]) -> Result<u8, Fault> {
    if let [word, renderer] = arguments
        && word == "supports"
    {
        return Ok(u8::from(!book::supports(renderer)));
    }
    book::preprocess(std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(0)
}

/// Runs an asynchronous command to its end.
fn wait<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Fault::file("the runtime"))?
        .block_on(work)
}
