//! Listens, serves, and on SIGTERM or Ctrl-C drains: readiness fails, running requests finish, the stores close.

use super::router;
use crate::{admin, background, db::DbError, state::App};
use std::{future::IntoFuture, net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// How long running requests may take to finish.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// Over how long clients spread their reconnects, and how long we wait for them to go.
const RECONNECT_WINDOW: Duration = Duration::from_secs(10);
const SOCKETS_GRACE: Duration = Duration::from_secs(5);
const SEND_BUFFER_BYTES: usize = 32 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("listening on {addr}")]
    Listen {
        addr: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("serving")]
    Serve(#[from] std::io::Error),
    #[error("taking over from the process before")]
    TakeOver(#[from] DbError),
}

/// `ready` hears the address once requests can come.
pub async fn run(app: App, ready: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let addr = app.config.addr;
    let listener = TcpListener::bind(addr).await.map_err(|source| ServeError::Listen { addr, source })?;
    background::take_over(&app).await?;
    background::start(&app);
    tune(&listener);
    let bound = listener.local_addr()?;
    admin::announce(&app.config.data, bound)?;
    tracing::info!(addr = %bound, "server.ready");
    ready(bound);
    watch_signals(app.clone())?;
    let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let stop = app.shutdown.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { stop.cancelled().await });
    let mut serving = std::pin::pin!(serving.into_future());
    tokio::select! {
        served = &mut serving => served?,
        () = app.shutdown.cancelled() => {
            let (_, served) = tokio::join!(app.hub.drain(RECONNECT_WINDOW, SOCKETS_GRACE), tokio::time::timeout(DRAIN_MAX, serving));
            match served {
                Ok(served) => served?,
                Err(_) => tracing::warn!("server.drain_cut_short"),
            }
        }
    }
    admin::withdraw(&app.config.data);
    app.close().await;
    tracing::info!("server.stopped");
    Ok(())
}

/// Accepted sockets inherit both. With a large send buffer the kernel takes megabytes for a slow reader and hides that he is slow; without
/// `TCP_NODELAY` an acknowledgement waits up to 40 ms behind the entry before it for the client's delayed ACK.
fn tune(listener: &TcpListener) {
    let socket = socket2::SockRef::from(listener);
    if let Err(error) = socket.set_send_buffer_size(SEND_BUFFER_BYTES).and_then(|()| socket.set_tcp_nodelay(true)) {
        tracing::warn!(%error, "server.socket_options");
    }
}

fn watch_signals(app: App) -> Result<(), std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = app.shutdown.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("server.draining");
        shutdown.cancel();
    });
    Ok(())
}
