//! A server whose `/echo` is a WebSocket that says what it is told, for the Autobahn suite (`tests/conformance/autobahn.sh`): the
//! handshake, the limits and the framing are those of the server itself. `cargo run --example echo [ADDRESS]`.
#![allow(clippy::print_stdout, reason = "says where it listens")]

use edge_server::http::{Server, Tables};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("ws://{}/echo", listener.local_addr()?);
    Server::new(Tables::default()).with_echo().run(listener, std::future::pending()).await;
    Ok(())
}
