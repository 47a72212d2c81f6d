//! A socket that says what it is told, over the same handshake, limits and framing as all others: for suites that test how
//! WebSockets are spoken. It is there only when [`super::Server::with_echo`] asks for it, which the program never does.

use futures_util::StreamExt;
use hyper::Request;
use hyper::body::Incoming;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::problem::Problem;
use super::sockets::{Peer, STOPS, Sockets};
use super::{Reply, Tables};

/// The longest message, as of rows.
const MAX_MESSAGE: usize = 16 << 20;

/// Answers the handshake; the socket lives on in a task of its own.
pub(super) fn echo(tables: &Tables, request: Request<Incoming>) -> Result<Reply, Problem> {
    let sockets = tables.sockets.clone();
    tables.upgrade(request, &[], MAX_MESSAGE, move |peer, _| async move { say(peer, &sockets).await })
}

async fn say(mut peer: Peer, sockets: &Sockets) {
    let mut stopping = std::pin::pin!(sockets.stopping());
    loop {
        tokio::select! {
            () = &mut stopping => return peer.close(CloseCode::Away, STOPS).await,
            incoming = peer.socket.next() => match incoming {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    if !peer.send(message).await {
                        return peer.close_slow().await;
                    }
                }
                Some(Ok(Message::Close(_))) => return peer.closed().await,
                Some(Ok(_)) => {}
                Some(Err(error)) => return peer.broken(&error, "a message longer than 16 MB").await,
                None => return,
            },
        }
    }
}
