//! Leaves the tables for unwinding out of the tiny program. It aborts where others unwind, and without symbols a
//! backtrace would have no names: nobody reads them. 45 kB.

use std::{
    env,
    io::{self, Write},
};

fn main() -> io::Result<()> {
    let is = |name, value: &str| env::var(name).map_or(false, |own| own == value);
    let mut cargo = io::stdout();
    writeln!(cargo, "cargo:rerun-if-changed=tables.ld")?;
    writeln!(cargo, "cargo:rustc-check-cfg=cfg(without_tables)")?;
    // A build script is not told the profile's name; `z` stands in the profile `receive` alone. Nor is it told that a
    // profile aborts (CARGO_CFG_PANIC is the target's own): main.rs refuses to be built where it unwinds.
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        writeln!(cargo, "cargo:rustc-link-arg-bin=fujie-receive=-T{}/tables.ld", folder)?;
        writeln!(cargo, "cargo:rustc-cfg=without_tables")?;
    }
    Ok(())
}
