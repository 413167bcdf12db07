//! Accepting connections, and breaking them off when the sandbox was asked to.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Open connections at the most: enough for a load test, fewer than a process may have files.
const CONNECTIONS_MAX: usize = 900;
/// How long a client may take to send its request line and headers, or to stay idle.
const HEADERS_TIME_MAX: Duration = Duration::from_secs(30);
/// How long requests that run get to finish once the sandbox is told to stop.
const GRACE: Duration = Duration::from_secs(3);
/// Pause after `accept` failed, mostly for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Marks an answer that must not be written: the connection ends instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct HangUp;

/// Serves until `stop` turns true, then lets running requests finish.
pub(super) async fn serve(listener: TcpListener, app: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (app, stop) = (app.clone(), stop.clone());
        connections.spawn(async move {
            talk(stream, app, stop).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    // Whoever still waits then, such as a listener, is cut off.
    let _ = tokio::time::timeout(GRACE, all_done).await;
}

async fn talk(stream: TcpStream, app: Router, mut stop: watch::Receiver<bool>) {
    // Small answers should leave at once; a socket that cannot be told so still works.
    let _ = stream.set_nodelay(true);
    let app = TowerToHyperService::new(app);
    let answer = service_fn(move |request| {
        let answering = app.call(request);
        async move {
            let response: axum::http::Response<Body> = answering.await.map_err(io::Error::other)?;
            match response.extensions().get::<HangUp>() {
                Some(_) => Err(io::Error::other("asked to hang up")),
                None => Ok(response),
            }
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    let mut serving = std::pin::pin!(serving);
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection broke");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the handle is gone: stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
