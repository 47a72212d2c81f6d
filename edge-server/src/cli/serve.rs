//! `edge-server`: opens the tables, listens, prints the address, and ends in order.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use tokio::net::TcpListener;

use super::{Compress, Serve};
use crate::http::{Server, Tables};
use crate::live::Store;
use crate::source::{self, ParquetSource, Table};
use crate::{Error, Result};

const SAMPLE: &[u8] = include_bytes!("../../sample/nycflights13.parquet");
const PORT: u16 = 8080;

/// Serves until a signal comes.
pub(super) fn serve(options: &Serve) -> Result<()> {
    if let Some(address) = options.addr
        && !address.ip().is_loopback()
        && !options.allow_non_loopback_without_authentication
    {
        return Err(Error::NotLoopback { address });
    }
    let tables = open_tables(options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Internal(error.to_string()))?;
    runtime.block_on(async {
        let listener = listen(options.addr).await?;
        let address = listener.local_addr().map_err(|error| Error::Internal(error.to_string()))?;
        let count = tables.len();
        let noun = if count == 1 { "table" } else { "tables" };
        let _closed = writeln!(std::io::stdout(), "Bodkin is serving {count} {noun} at http://{address}/");
        Server::new(tables).run(listener, stop_signal()).await;
        Ok(())
    })
}

fn open_tables(options: &Serve) -> Result<Tables> {
    let mut tables = Vec::new();
    let sources = options.sources()?;
    for argument in options.tables.iter().chain(&options.paths) {
        tables.extend(source::open_named(argument, &sources)?);
    }
    if tables.is_empty() && options.live.is_none() {
        let sample = ParquetSource::from_bytes(Bytes::from_static(SAMPLE))?;
        tables.push(Table { name: "flights".to_owned(), source: sample.kept_within(sources.memory) });
    }
    let encodes = match options.compress {
        Compress::Always => true,
        Compress::Never => false,
        Compress::Auto => options.addr.is_some_and(|address| !address.ip().is_loopback()),
    };
    let tables = Tables::try_new(tables)?.with_content_encoding(encodes);
    match &options.live {
        Some(folder) => tables.with_live(Store::open(folder)?),
        None => Ok(tables),
    }
}

async fn listen(wanted: Option<SocketAddr>) -> Result<TcpListener> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let address = wanted.unwrap_or(SocketAddr::new(loopback, PORT));
    match TcpListener::bind(address).await {
        Err(error) if wanted.is_none() && error.kind() == std::io::ErrorKind::AddrInUse => {
            let any = SocketAddr::new(loopback, 0);
            TcpListener::bind(any).await.map_err(|source| Error::Bind { address: any, source })
        }
        bound => bound.map_err(|source| Error::Bind { address, source }),
    }
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _interrupted = tokio::signal::ctrl_c().await;
}
