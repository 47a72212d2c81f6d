//! How sockets end: a close is answered, and a client that breaks the protocol is told so by a code. The Autobahn suite
//! (`tests/conformance/autobahn.sh`) has the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::Served;
use edge_server::http::{Server, Tables};

/// A socket whose handshake is done.
fn socket(server: &Served) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "GET /echo HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101") && answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    stream
}

/// Sends a frame, masked with zeros, and gives everything that comes until the end.
fn say(server: &Served, frames: &[(u8, &[u8])]) -> Vec<u8> {
    let mut stream = socket(server);
    for (first, payload) in frames {
        stream.write_all(&[*first, 0x80 | payload.len() as u8, 0, 0, 0, 0]).unwrap();
        stream.write_all(payload).unwrap();
    }
    let mut came = Vec::new();
    let _reset = stream.read_to_end(&mut came);
    came
}

#[test]
fn a_socket_ends_with_a_code() {
    let server = Served::of(Server::new(Tables::default()).with_echo());
    // Text that comes back, and a close that is answered.
    assert_eq!(
        say(&server, &[(0x81, b"abc"), (0x88, &[0x03, 0xe8])]),
        [0x81, 3, b'a', b'b', b'c', 0x88, 2, 0x03, 0xe8]
    );
    let code = |frames: &[(u8, &[u8])]| {
        let came = say(&server, frames);
        assert_eq!(came.first(), Some(&0x88), "{came:?}");
        u16::from_be_bytes([came[2], came[3]])
    };
    assert_eq!(code(&[(0x81, b"\xff\xfe")]), 1007, "no UTF-8");
    assert_eq!(code(&[(0xf1, b"abc")]), 1002, "bits that nobody agreed on");
    assert_eq!(code(&[(0x83, b"abc")]), 1002, "an operation that is none");
    assert_eq!(code(&[(0x80, b"abc")]), 1002, "the rest of nothing");
    assert_eq!(code(&[(0x09, b"abc")]), 1002, "a ping in parts");
    // The program has no such socket.
    assert_eq!(Served::sample().get("/echo").status, 404);
}
