//! HTTPS: both versions of HTTP, certificates of clients, certificates that are exchanged while the server runs.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::program::{Program, read_all};
use common::{Served, sample};
use edge_server::http::{Limits, Server, Tables, Tls, TlsFiles};
use edge_server::source::{self, Table};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, as PEM.
fn signed(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn write(folder: &Path, authority: &Authority) -> TlsFiles {
    let (cert, key) = signed(authority);
    let files = TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem"), client_ca: None };
    std::fs::write(&files.cert, cert).unwrap();
    std::fs::write(&files.key, key).unwrap();
    files
}

fn served(files: TlsFiles, limits: Limits) -> Served {
    let flights = Table { name: "flights".to_owned(), source: source::open(&sample()).unwrap() };
    let tables = Tables::try_new(vec![flights]).unwrap().with_limits(limits);
    Served::of(Server::new(tables).with_tls(Arc::new(Tls::open(files).unwrap())))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Agrees on TLS with those protocols, as a client that trusts the authority, and perhaps shows a certificate.
async fn connect(
    server: &Served,
    authority: &str,
    protocols: &[&str],
    own: Option<(String, String)>,
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = tokio::net::TcpStream::connect(server.address).await?;
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
}

fn asked(path: &str, version: Version) -> Request<Empty<bytes::Bytes>> {
    let uri = if version == Version::HTTP_2 { format!("https://localhost{path}") } else { path.to_owned() };
    let request = Request::builder().uri(uri).version(version).header("host", "localhost");
    request.body(Empty::new()).unwrap()
}

/// One request over HTTP/1.1: the status and the body's length.
async fn get(stream: TlsStream<tokio::net::TcpStream>, path: &str) -> Result<(u16, usize), hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let answer = sender.send_request(asked(path, Version::HTTP_11)).await?;
    Ok((answer.status().as_u16(), answer.into_body().collect().await?.to_bytes().len()))
}

#[test]
fn both_versions_of_http_are_spoken_and_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let server = served(write(folder.path(), &authority), Limits::default());
    let path = "/v1/tables/flights/data";
    runtime().block_on(async {
        let stream = connect(&server, &authority.pem(), &["http/1.1"], None).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let old = get(stream, path).await.unwrap();
        let stream = connect(&server, &authority.pem(), &["h2", "http/1.1"], None).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        // Many at the same time over one connection, a long one among them.
        let mut long = sender.clone();
        let long = tokio::spawn(async move {
            let answer = long.send_request(asked(path, Version::HTTP_2)).await.unwrap();
            assert_eq!(answer.version(), Version::HTTP_2);
            (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes().len())
        });
        let short = (0..50).map(|_| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let answer = sender.send_request(asked("/v1/tables", Version::HTTP_2)).await.unwrap();
                let csp = answer.headers().contains_key("content-security-policy");
                (answer.status().as_u16(), csp)
            })
        });
        for one in short.collect::<Vec<_>>() {
            assert_eq!(one.await.unwrap(), (200, true));
        }
        let new = long.await.unwrap();
        assert!(old == new && old.0 == 200 && old.1 > 10_000_000, "{old:?} {new:?}");
    });
}

#[test]
fn heads_are_limited_over_http_2_too_and_unread_answers_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let limits = Limits { header_bytes: 8_192, write_time: Duration::from_millis(300), ..Limits::default() };
    let server = served(write(folder.path(), &authority), limits);
    runtime().block_on(async {
        let stream = connect(&server, &authority.pem(), &["h2"], None).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut long = asked("/health", Version::HTTP_2);
        long.headers_mut().insert("x-long", "a".repeat(20_000).parse().unwrap());
        let status = sender.send_request(long).await.map(|answer| answer.status().as_u16());
        assert!(status.as_ref().map_or(true, |status| *status == 431), "{status:?}");
        // A stream whose window stays shut must not hold a thread of the server for ever.
        let stream = connect(&server, &authority.pem(), &["h2"], None).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let unread = sender.send_request(asked("/v1/tables/flights/query", Version::HTTP_2)).await.unwrap();
        let mut is_over = false;
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let metrics = sender.send_request(asked("/metrics", Version::HTTP_2)).await.unwrap();
            let text = metrics.into_body().collect().await.unwrap().to_bytes();
            is_over = String::from_utf8_lossy(&text).contains("\nbodkin_queries_running 0\n");
            if is_over {
                break;
            }
        }
        assert!(is_over, "the query still runs");
        assert!(unread.into_body().collect().await.is_err(), "what was cut does not look whole");
    });
}

#[test]
fn clients_show_certificates_where_they_are_asked_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, clients, strangers) = (authority(), authority(), authority());
    let ca = folder.path().join("clients.pem");
    std::fs::write(&ca, clients.pem()).unwrap();
    let files = TlsFiles { client_ca: Some(ca), ..write(folder.path(), &ours) };
    let server = served(files, Limits::default());
    runtime().block_on(async {
        let ask = async |own: Option<(String, String)>| -> Option<u16> {
            // Refused in the handshake, or, with TLS 1.3, with the first answer.
            let stream = connect(&server, &ours.pem(), &["http/1.1"], own).await.ok()?;
            get(stream, "/health").await.ok().map(|(status, _)| status)
        };
        assert_eq!(ask(Some(signed(&clients))).await, Some(200));
        assert_eq!(ask(None).await, None);
        assert_eq!(ask(Some(signed(&strangers))).await, None);
    });
}

#[test]
fn certificates_are_read_again_by_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (authority(), authority());
    let files = write(folder.path(), &first);
    let (cert, key) = (files.cert.to_str().unwrap(), files.key.to_str().unwrap());
    let program = Program::start(&["--tls-cert", cert, "--tls-key", key], &[]);
    let trusts = |authority: &Authority| {
        runtime().block_on(async { connect(&program.server, &authority.pem(), &["h2"], None).await.is_ok() })
    };
    assert!(trusts(&first) && !trusts(&second));
    // Half of a pair is at fault: everything stays as it was.
    let (cert, _) = signed(&second);
    std::fs::write(&files.cert, cert).unwrap();
    program.signal("HUP");
    program.wait_for("the certificates stay as they were");
    assert!(trusts(&first));
    write(folder.path(), &second);
    program.signal("HUP");
    program.wait_for("the certificates were read again");
    assert!(trusts(&second) && !trusts(&first));
}

#[test]
fn no_token_is_in_the_log_of_http_2_even_when_everything_is_told() {
    const TOKEN: &str = "never-in-the-log-never";
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let files = write(folder.path(), &authority);
    let (cert, key) = (files.cert.to_str().unwrap(), files.key.to_str().unwrap());
    let program =
        Program::start(&["--tls-cert", cert, "--tls-key", key, "--log-level", "trace"], &[("BODKIN_TOKENS", TOKEN)]);
    runtime().block_on(async {
        let stream = connect(&program.server, &authority.pem(), &["h2"], None).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for (token, status) in [(TOKEN, 200), ("never-in-the-log-wrong", 401)] {
            let mut request = asked("/v1/tables", Version::HTTP_2);
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            assert_eq!(sender.send_request(request).await.unwrap().status().as_u16(), status);
        }
    });
    let log = program.wait_for("status=401");
    assert!(log.contains("status=200") && !log.contains("never-in-the-log"), "{log}");
}

#[test]
fn plain_http_and_silence_are_not_answered_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let limits = Limits { head_time: Duration::from_millis(400), ..Limits::default() };
    let server = served(write(folder.path(), &authority), limits);
    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.write_all(b"GET /v1/tables HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let (bytes, closed) = read_all(&mut plain, Duration::from_secs(10));
    assert!(closed && !String::from_utf8_lossy(&bytes).contains("flights"));
    let mut silent = TcpStream::connect(server.address).unwrap();
    assert!(read_all(&mut silent, Duration::from_secs(10)).1, "who does not agree in time is let go");
    let wrong = TlsFiles { key: folder.path().join("cert.pem"), ..write(folder.path(), &authority) };
    assert!(Tls::open(wrong).unwrap_err().to_string().contains("cert.pem: no private key"));
}
