//! What a shell's program has written, as lines of text with a look.
//!
//! Owns: the terminal emulation, and the lines that have scrolled out of it. Must not: know the shell, or
//! who looks. Whatever is written stays text: a program has no way to the clipboard, or into the page.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::{Config, Osc52, Term, TermMode};
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use memchr::memrchr3;

use super::keys::Modes;
use super::rows::{Cursor, Row, Size, row};

/// Lines that are kept after they have scrolled out.
pub const KEPT_LINES: usize = 2_000;
/// The most that is read at once, bytes: as much as the system gives.
pub const PIECE_BYTES: usize = 4_096;
/// A title or an answer is no longer than this, bytes.
const SHORT_BYTES: usize = 4_096;
/// After so many bytes without a control character that ends one, an escape sequence is broken off:
/// the parser would keep all of it in memory.
const ENDLESS_BYTES: usize = 64 << 10;
const CANCEL: u8 = 0x18;
/// Marks above one letter; some programs write thousands.
const MARKS: usize = 8;

/// A terminal's screen.
pub struct Screen {
    term: Term<Told>,
    parser: Processor<AtOnce>,
    told: Told,
    out: VecDeque<Row>,
    gone: u64,
    endless: usize,
}

/// What the emulator tells: answers to the program's questions, and the title.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<(String, String)>>);

impl EventListener for Told {
    fn send_event(&self, event: Event) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::PtyWrite(answer) if told.0.len() < SHORT_BYTES => told.0.push_str(&answer),
            Event::Title(title) if title.len() <= SHORT_BYTES => told.1 = title,
            Event::ResetTitle => told.1.clear(),
            _ => {}
        }
    }
}

/// Programs may ask that several changes are shown as one. Frames come seldom enough for that.
#[derive(Default)]
struct AtOnce;

impl Timeout for AtOnce {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.lines.into()
    }
    fn screen_lines(&self) -> usize {
        self.lines.into()
    }
    fn columns(&self) -> usize {
        self.columns.into()
    }
}

impl Screen {
    /// An empty one.
    pub fn new(size: Size) -> Self {
        let config = Config { scrolling_history: KEPT_LINES, osc52: Osc52::Disabled, ..Config::default() };
        let told = Told::default();
        let term = Term::new(config, &size, told.clone());
        Self { term, parser: Processor::default(), told, out: VecDeque::new(), gone: 0, endless: 0 }
    }

    /// Takes what a program has written, at most a piece. Returns what the terminal answers.
    pub fn write(&mut self, piece: &[u8]) -> String {
        self.parser.advance(&mut self.term, piece);
        let end = memrchr3(0x07, CANCEL, 0x1b, piece);
        self.endless = end.map_or(self.endless + piece.len(), |at| piece.len() - at);
        // Not between the bytes of one letter.
        if self.endless > ENDLESS_BYTES && piece.last().is_some_and(u8::is_ascii) {
            self.parser.advance(&mut self.term, &[CANCEL]);
            self.endless = 0;
        }
        self.thin_marks();
        std::mem::take(&mut self.told.0.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Another size: lines are broken anew.
    pub fn resize(&mut self, size: Size) {
        self.term.resize(size);
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Size { columns: narrow(self.term.columns()), lines: narrow(self.term.screen_lines()) }
    }

    /// The lines on the screen.
    pub fn rows(&self) -> Vec<Row> {
        let grid = self.term.grid();
        (0..self.term.screen_lines()).map(|at| row(&grid[Line(i32::try_from(at).unwrap_or(i32::MAX))])).collect()
    }

    /// How many lines have scrolled out so far, and those of them from number `from` on that are still kept. Where
    /// some were lost, the number is larger by one than that of the lines.
    pub fn out_from(&mut self, from: u64) -> (u64, Vec<Row>) {
        self.take_over();
        let news = usize::try_from(self.gone.saturating_sub(from)).unwrap_or(usize::MAX).min(self.out.len());
        (self.gone, self.out.range(self.out.len() - news..).cloned().collect())
    }

    /// Where the next letter comes; `None` when the program hides that.
    pub fn cursor(&self) -> Option<Cursor> {
        let at = self.term.grid().cursor.point;
        let shown = self.term.mode().contains(TermMode::SHOW_CURSOR);
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        shown.then(|| Cursor { line: narrow(usize::try_from(at.line.0).unwrap_or(0)), column: narrow(at.column.0) })
    }

    /// The title that a program has given.
    pub fn title(&self) -> String {
        self.told.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Whether a program has taken the whole screen.
    pub fn is_taken(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    /// How keys are to be written.
    pub fn modes(&self) -> Modes {
        let mode = self.term.mode();
        Modes {
            application_cursor: mode.contains(TermMode::APP_CURSOR),
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
        }
    }

    /// Takes what has scrolled out from the emulator, which keeps no more than the newest lines. That is done when
    /// somebody looks, because a program may write faster than lines can be turned into data.
    fn take_over(&mut self) {
        let grid = self.term.grid_mut();
        let lines = grid.history_size();
        let news = (1..=lines).rev().map(|line| row(&grid[Line(-i32::try_from(line).unwrap_or(i32::MAX))]));
        self.out.extend(news);
        self.gone += lines as u64 + u64::from(lines == KEPT_LINES);
        self.out.drain(..self.out.len().saturating_sub(KEPT_LINES));
        grid.clear_history();
    }

    fn thin_marks(&mut self) {
        let line = self.term.grid().cursor.point.line;
        let grid = self.term.grid_mut();
        for column in 0..grid.columns() {
            let cell = &mut grid[line][Column(column)];
            if cell.zerowidth().is_some_and(|marks| marks.len() > MARKS) {
                cell.extra = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Screen {
        Screen::new(Size { columns: 20, lines: 3 })
    }

    fn text(row: &Row) -> String {
        row.iter().map(|run| run.text.as_str()).collect()
    }

    fn texts(rows: &[Row]) -> Vec<String> {
        rows.iter().map(text).collect()
    }

    #[test]
    fn lines_that_scroll_out_are_kept_in_their_order_and_no_more_than_the_newest() {
        let mut screen = screen();
        let mut write = |numbers: std::ops::RangeInclusive<u32>| {
            for number in numbers {
                screen.write(format!("line {number}\r\n").as_bytes());
            }
            screen.out_from(0)
        };
        let (gone, out) = write(1..=1_500);
        assert_eq!((gone, texts(&out)[1_497].as_str()), (1_498, "line 1498"));
        let (gone, out) = write(1_501..=3_000);
        assert_eq!((gone, out.len()), (2_998, KEPT_LINES));
        assert_eq!((text(&out[0]), text(&out[KEPT_LINES - 1])), ("line 999".into(), "line 2998".into()));
        assert_eq!(texts(&screen.rows()), ["line 2999", "line 3000", ""]);
        assert_eq!(texts(&screen.out_from(2_996).1), ["line 2997", "line 2998"]);
        assert!(screen.out_from(2_998).1.is_empty());
    }

    #[test]
    fn more_lines_than_are_kept_are_told_as_lost() {
        let mut screen = screen();
        screen.write(b"first\r\n");
        assert_eq!(screen.out_from(0).0, 0);
        screen.write(&[b'\n'; PIECE_BYTES]);
        let (gone, out) = screen.out_from(0);
        assert_eq!((out.len(), gone), (KEPT_LINES, KEPT_LINES as u64 + 1));
    }

    #[test]
    fn a_title_is_told_and_questions_are_answered_and_the_clipboard_is_not_reached() {
        let mut screen = screen();
        assert_eq!(screen.write(b"\x1b]0;soup\x07ab\x1b[6n"), "\x1b[1;3R");
        assert_eq!(screen.title(), "soup");
        assert_eq!(screen.write(b"\x1b]52;c;c2VjcmV0\x07\x1b]52;c;?\x07"), "");
        assert_eq!(texts(&screen.rows()), ["ab", "", ""]);
    }

    #[test]
    fn an_escape_sequence_without_an_end_is_broken_off() {
        let mut screen = screen();
        screen.write(b"\x1b]0;");
        for _ in 0..2 * ENDLESS_BYTES / PIECE_BYTES {
            screen.write(&[b'x'; PIECE_BYTES]);
        }
        screen.write(b"\r\nseen");
        assert!(texts(&screen.rows()).contains(&"seen".into()), "{:?}", texts(&screen.rows()));
    }

    #[test]
    fn marks_above_a_letter_do_not_pile_up() {
        let mut screen = screen();
        screen.write(b"e");
        for _ in 0..100 {
            screen.write("\u{301}".repeat(1_000).as_bytes());
        }
        assert!(text(&screen.rows()[0]).len() < 100, "{}", text(&screen.rows()[0]).len());
    }

    #[test]
    fn a_program_takes_the_whole_screen_and_gives_it_back() {
        let mut screen = screen();
        screen.write(b"before\x1b[?1049h\x1b[?25l\x1b[Hinside");
        assert!(screen.is_taken() && screen.cursor().is_none());
        assert_eq!(texts(&screen.rows())[0], "inside");
        screen.write(b"\x1b[?1049l\x1b[?25h");
        assert_eq!((texts(&screen.rows())[0].as_str(), screen.is_taken()), ("before", false));
    }
}
