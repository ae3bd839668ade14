//! What is broken, hostile or out of place gets the standard's error, and nothing is changed or lost by it: each story
//! ends with the good request that still works.

mod authorize;
mod code;
mod form;
mod http;
mod kind;
mod redirect_uri;
mod resume;
mod token;
