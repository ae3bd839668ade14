//! A scheme that does not answer: some browsers ask before they open one and some desktops lose it, so after a while the
//! loopback listener waits too, and what comes first counts.

use std::{thread, time::Duration};

use super::Waiting;
use crate::{callback::Callback, loopback::Loopback, thread::spawn_scoped, Error};

impl Waiting {
    /// Waits for the URI; when none came within `patience`, calls `fall_back` with the redirect URI of `loopback`, which
    /// the caller sends the person to, and for at most `timeout` more takes what comes first from either. The listener
    /// is bound from the start, so that a port that is taken is known before anybody waits.
    ///
    /// # Errors
    /// Those of [`Waiting::wait`]. A listener that fails later is given up, and the scheme goes on waiting.
    pub fn wait_or_fall_back(
        &self,
        patience: Duration,
        timeout: Duration,
        loopback: Loopback,
        fall_back: impl FnOnce(&str),
    ) -> Result<Callback, Error> {
        match self.wait(patience) {
            Err(Error::TimedOut { .. }) => {}
            ended => return ended,
        }
        fall_back(&loopback.redirect_uri());
        let (ours, theirs, mut heard) = (self.handle(), loopback.handle(), None);
        let result = thread::scope(|scope| {
            let listening = || {
                heard = loopback.wait(timeout).ok();
                if heard.is_some() {
                    ours.cancel();
                }
            };
            // Without a thread the scheme waits alone.
            drop(spawn_scoped(scope, Box::new(listening)));
            let result = self.wait(timeout);
            theirs.cancel();
            result
        });
        result.or_else(|error| heard.ok_or(error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mayx, opening, Home, LONG};
    use super::{super::hand_over, *};
    use crate::loopback::Options;
    use std::{
        io::{Read, Write},
        net::TcpStream,
        sync::mpsc,
    };

    const SOON: Duration = Duration::from_millis(1);

    fn loopback() -> Loopback {
        Loopback::bind(&Options::new("/getcode", "s")).unwrap()
    }

    /// Waits with a fallback, and lets `visit` act as soon as the listener is there.
    fn check(test: &str, visit: impl FnOnce(&Home, &str) + Send + 'static) -> Result<Callback, Error> {
        let home = Home::new(test);
        let waiting = Waiting::open(&mayx(), Some("s"), &home.place()).unwrap();
        let (sender, receiver) = mpsc::channel::<String>();
        let visitor = thread::spawn(move || {
            let redirect_uri = receiver.recv().unwrap();
            visit(&home, &redirect_uri);
            home
        });
        let result = waiting.wait_or_fall_back(SOON, LONG, loopback(), |uri| sender.send(uri.to_owned()).unwrap());
        drop(waiting);
        drop(visitor.join().unwrap());
        result
    }

    #[test]
    fn after_a_while_the_browser_may_come_to_loopback() {
        let callback = check("fallback-loopback", |_, redirect_uri| {
            let authority = redirect_uri.strip_prefix("http://").unwrap().split('/').next().unwrap();
            let mut stream = TcpStream::connect(authority).unwrap();
            write!(stream, "GET /getcode?code=c1&state=s HTTP/1.1\r\nHost: {authority}\r\n\r\n").unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        assert_eq!(callback.unwrap().code(), Ok("c1"));
    }

    #[test]
    fn after_a_while_the_scheme_still_counts() {
        let callback = check("fallback-scheme", |home, _| {
            hand_over(&opening("mayx://get?code=c2&state=s"), &home.place()).unwrap();
        });
        assert_eq!(callback.unwrap().code(), Ok("c2"));
    }

    #[test]
    fn a_scheme_that_answers_in_time_needs_no_fallback() {
        let home = Home::new("fallback-none");
        let waiting = Waiting::open(&mayx(), Some("s"), &home.place()).unwrap();
        hand_over(&opening("mayx://get?code=c3&state=s"), &home.place()).unwrap();
        let callback = waiting.wait_or_fall_back(LONG, LONG, loopback(), |_| panic!("it came in time")).unwrap();
        assert_eq!(callback.code(), Ok("c3"));
    }
}
