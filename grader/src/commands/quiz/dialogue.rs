//! One dialogue about a quiz: shows a question, reads a line, explains the answer.
//!
//! Owns: every word that is printed. Must not: judge, or keep answers itself.

use std::io::{BufRead, Write};

use super::{Keep, Kept, Session, right_count};
use crate::course::quiz::{Answer, Question, StoredAnswer, typed};
use crate::fault::Fault;

/// A dialogue in progress.
pub(super) struct Dialogue<'a, 'k> {
    pub(super) session: &'a Session<'a>,
    pub(super) kept: Kept,
    pub(super) keep: &'a mut Keep<'k>,
    pub(super) input: &'a mut dyn BufRead,
    pub(super) output: &'a mut dyn Write,
    /// Lines read so far.
    pub(super) line: usize,
}

/// What came instead of an answer, or the answer.
enum Reply {
    Given(Answer),
    Skipped,
    Ended,
}

impl Dialogue<'_, '_> {
    /// Asks what is not answered right yet, and gives back all answers.
    pub(super) fn hold(mut self) -> Result<Kept, Fault> {
        self.greet()?;
        let session = self.session;
        for (index, question) in session.quiz.questions.iter().enumerate() {
            if self.kept.get(&question.id).is_some_and(|kept| kept.right) {
                continue;
            }
            let shown = question.shown(session.seed);
            self.show(index, question, &shown)?;
            match self.reply(question, &shown)? {
                Reply::Given(answer) => self.explain(question, &answer)?,
                Reply::Skipped => {}
                Reply::Ended => break,
            }
        }
        self.sum_up()?;
        Ok(self.kept)
    }

    fn greet(&mut self) -> Result<(), Fault> {
        let count = self.session.quiz.questions.len();
        let right = right_count(self.session.quiz, &self.kept);
        let already = match right {
            0 => String::new(),
            1 => format!(" 1 of {count} is answered right already."),
            _ => format!(" {right} of {count} are answered right already."),
        };
        self.say(&format!("The quiz of {}.{already}", self.session.lesson))?;
        if self.session.interactive && right < count {
            self.say("An empty line leaves a question for later, Ctrl-D stops. Every answer is kept at once.")?;
        }
        Ok(())
    }

    fn show(&mut self, index: usize, question: &Question, shown: &[usize]) -> Result<(), Fault> {
        let count = self.session.quiz.questions.len();
        self.say(&format!("\nQuestion {} of {count} ({})\n\n{}", index + 1, question.id, question.text))?;
        let texts = question.texts();
        if !shown.is_empty() {
            self.say("")?;
        }
        for (number, text) in (1..).zip(shown.iter().map(|&index| texts[index])) {
            self.say(&format!("  {number}. {}", text.replace('\n', "\n     ")))?;
        }
        Ok(())
    }

    /// Reads until there is an answer. A script cannot be asked again: there it is a fault.
    fn reply(&mut self, question: &Question, shown: &[usize]) -> Result<Reply, Fault> {
        loop {
            self.write(&format!("\nYour answer ({}): ", question.wants()))?;
            let Some(line) = self.read()? else {
                self.say("")?;
                return Ok(Reply::Ended);
            };
            let line = line.trim();
            if !self.session.interactive {
                // A terminal shows what is typed, a pipe does not.
                self.say(line)?;
            }
            if line.is_empty() {
                return Ok(Reply::Skipped);
            }
            if let Some(answer) = typed::answer(question, shown, line) {
                return Ok(Reply::Given(answer));
            }
            let why = format!("`{line}` is not understood: type {}.", question.wants());
            if !self.session.interactive {
                let message = format!("question `{}`, line {} of the input: {why}", question.id, self.line);
                return Err(Fault::Usage { message });
            }
            self.say(&why)?;
        }
    }

    fn explain(&mut self, question: &Question, answer: &Answer) -> Result<(), Fault> {
        let judged = question.judge(answer);
        let stored = StoredAnswer { answer: question.stable(answer), right: judged.right };
        (self.keep)(&question.id, &stored)?;
        self.kept.insert(question.id.clone(), stored);
        let verdict = if judged.right { "Right." } else { "Not right." };
        self.say(&format!("\n{verdict} {}", judged.because))
    }

    fn sum_up(&mut self) -> Result<(), Fault> {
        let count = self.session.quiz.questions.len();
        let right = right_count(self.session.quiz, &self.kept);
        if right == count {
            return self.say(&format!("\nAll {count} questions are answered right."));
        }
        let verb = if right == 1 { "is" } else { "are" };
        let lesson = self.session.lesson;
        self.say(&format!(
            "\n{right} of {count} questions {verb} answered right. `grader quiz {lesson}` goes on with the other {}.",
            count - right
        ))
    }

    fn read(&mut self) -> Result<Option<String>, Fault> {
        let mut line = String::new();
        let length = self.input.read_line(&mut line).map_err(Fault::file("standard input"))?;
        self.line += 1;
        Ok((length > 0).then_some(line))
    }

    fn say(&mut self, text: &str) -> Result<(), Fault> {
        self.write(&format!("{text}\n"))
    }

    fn write(&mut self, text: &str) -> Result<(), Fault> {
        let written = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
        written.map_err(Fault::file("standard output"))
    }
}
