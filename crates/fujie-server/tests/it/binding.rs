//! Signing in with WeChat and binding: only who began can finish, only who proves both can join them, and a name
//! proves nothing.

mod callback;
mod flow;
mod identity;
mod secrecy;
mod ticket;
mod unbind;
