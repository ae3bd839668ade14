//! What a thread logs, as loud as it wants: a process has one logger, and stories run side by side.

use std::cell::{Cell, RefCell};

use log::{LevelFilter, Log, Metadata, Record};

thread_local! {
    static LEVEL: Cell<LevelFilter> = const { Cell::new(LevelFilter::Off) };
    static LINES: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Ear;

impl Log for Ear {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.level() <= LEVEL.get()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.with_borrow_mut(|lines| lines.push_str(&format!("{} {}\n", record.target(), record.args())));
        }
    }

    fn flush(&self) {}
}

/// Hears this thread from now on.
pub fn listen(level: LevelFilter) {
    // Another story may have installed it already, which serves; or it just did, and the level is still to be set.
    drop(log::set_logger(&Ear));
    log::set_max_level(LevelFilter::Trace);
    LEVEL.set(level);
}

/// What this thread has logged; it is not heard any longer.
pub fn heard() -> String {
    LEVEL.set(LevelFilter::Off);
    LINES.take()
}
