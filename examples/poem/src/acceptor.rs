//! `PatientAcceptor`: an acceptor that does not spin when the process is out of files.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::time::sleep;

/// An acceptor that waits a second after an error of the system, such as too many open files, as
/// hyper does. poem asks again at once, for as long as the error lasts.
pub(crate) struct PatientAcceptor<A>(pub(crate) A);

impl<A: Acceptor> Acceptor for PatientAcceptor<A> {
    type Io = A::Io;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(A::Io, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await;
        if let Err(error) = &accepted {
            use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
            let of_connection = [ConnectionAborted, ConnectionRefused, ConnectionReset];
            if !of_connection.contains(&error.kind()) {
                // pace: files may have been closed by then
                sleep(Duration::from_secs(1)).await;
            }
        }
        accepted
    }
}
