//! The channel from the outside: programs, sockets and other people's libraries.

mod echo;
mod example;
mod house;
mod listen;
mod operator;
mod sign_in;
