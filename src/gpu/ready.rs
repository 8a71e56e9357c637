//! Futures that are ready at once.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The value of a future that is ready at its first poll, as all those of wgpu's native backends are; `None` where it would have
/// to be waited for, as on the web.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_taken_and_nothing_is_waited_for() {
        assert_eq!(ready(async { 7 }), Some(7));
        assert_eq!(ready(std::future::pending::<()>()), None);
    }
}
