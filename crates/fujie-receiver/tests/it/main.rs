//! The program `fujie-receive` as others meet it.

#[cfg(target_os = "linux")]
mod scheme_story;
