//! The channel from the outside: programs, sockets and other people's libraries.

mod echo;
