//! The last frame. A socket that is dropped with unread bytes is reset by the kernel, and the peer may never see why it was closed;
//! so after the close frame we read on for a moment.

use super::mailbox::CloseOrder;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::FusedStream;
use std::time::Duration;

const WRITE_PATIENCE: Duration = Duration::from_secs(2);
const LINGER: Duration = Duration::from_secs(1);

pub(super) async fn close(mut socket: WebSocket, order: CloseOrder) {
    say(&mut socket, order).await;
    linger(socket).await;
}

pub(super) async fn say(socket: &mut WebSocket, order: CloseOrder) {
    metrics::counter!("wenzhen_sockets_closed_total", "close" => order.code.name()).increment(1);
    let frame = CloseFrame { code: order.code.number(), reason: order.code.reason(order.within_ms).into() };
    // Whether it arrives is not in our hands; the client reconnects by its own rules if it does not.
    let _ = tokio::time::timeout(WRITE_PATIENCE, socket.send(Message::Close(Some(frame)))).await;
}

/// Until the peer has closed too. After a broken frame nothing can be read any more; then only the time remains.
pub(super) async fn linger(mut socket: WebSocket) {
    let read_to_end = async {
        if socket.is_terminated() {
            std::future::pending::<()>().await;
        }
        while let Some(Ok(_)) = socket.next().await {}
    };
    let _ = tokio::time::timeout(LINGER, read_to_end).await;
}
