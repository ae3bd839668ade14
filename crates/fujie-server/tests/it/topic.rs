//! Topics as people see them: made, followed, posted to; who belongs to them, what comes in, where it goes; and hooks
//! at GitHub, made in the name of whom is signed in.

mod connect;
mod fault;
mod hook;
mod integration;
mod member;
mod page;
mod secrecy;
mod target;
mod team;
