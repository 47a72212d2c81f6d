//! `edge-server`: opens the tables, listens, prints the address, and ends in order.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket};

use super::faults::Faults;
use super::options::{Compress, Serve};
use super::settings::{Settings, Wanted};
use super::signals::{Signal, Signals};
use crate::http::{Loading, Server, Tables};
use crate::live::Store;
use crate::source::{Named, Options, ParquetSource, Reading, Table};
use crate::{Error, Result};

const SAMPLE: &[u8] = include_bytes!("../../sample/nycflights13.parquet");
const PORT: u16 = 8080;
/// Connections that wait to be accepted: thousands may come back at once after a restart.
const BACKLOG: u32 = 4_096;
/// Answers that are made at the same time: each has a thread, which waits while its client reads slowly.
const PRODUCERS: usize = 4_096;
/// Files that are open beside connections: tables, logs, what the runtime needs.
const OTHER_FILES: usize = 1_000;

/// Serves until a signal comes; with a second signal it ends at once.
pub(super) fn serve(options: &Serve) -> Result<ExitCode> {
    let mut faults = Faults::default();
    let settings = Settings::resolve(options, &mut faults);
    if faults.len() > 0 {
        return faults.into_result().map(|()| ExitCode::SUCCESS);
    }
    let (tables, late) = tables(&settings)?;
    read_behind(late)?;
    let limits = settings.limits.limits();
    raise_open_files(limits.connections.saturating_add(limits.followers).saturating_add(OTHER_FILES));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(PRODUCERS)
        .build()
        .map_err(|error| Error::Internal(error.to_string()))?;
    let done = runtime.block_on(run(settings, tables));
    // Threads that still work for clients who have gone must not hold the end up.
    runtime.shutdown_background();
    done
}

async fn run(settings: Settings, tables: Tables) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let listener = listen(settings.address)?;
    let address = listener.local_addr().map_err(|error| Error::Internal(error.to_string()))?;
    let count = tables.len();
    let noun = if count == 1 { "table" } else { "tables" };
    let scheme = if settings.is_encrypted() { "https" } else { "http" };
    let _closed = writeln!(std::io::stdout(), "Bodkin is serving {count} {noun} at {scheme}://{address}/");
    if settings.is_public() && settings.tokens.is_some() && !settings.is_encrypted() {
        tracing::warn!(
            "tokens go over the network as they are; --tls-cert and --tls-key, or a proxy with TLS, hide them"
        );
    }
    let mut server = Server::new(tables).with_origins(settings.origins.clone()).with_proxies(settings.proxies.clone());
    if let Some(tokens) = &settings.tokens {
        server = server.with_tokens(tokens.clone());
    }
    if let Some(folder) = &settings.viewer {
        server = server.with_viewer(folder.clone());
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = &settings.tls {
        server = server.with_tls(tls.clone());
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let mut serving = std::pin::pin!(server.run(listener, async {
        let _told = stopped.await;
    }));
    loop {
        tokio::select! {
            _whole = serving.as_mut() => {
                tracing::info!("ended");
                return Ok(ExitCode::SUCCESS);
            }
            signal = signals.next() => match (signal, stop.take()) {
                (Signal::Reload, waiting) => {
                    stop = waiting;
                    reload(&settings);
                }
                (Signal::Stop, Some(stop)) => {
                    tracing::info!("ending; running answers are finished first");
                    let _ended = stop.send(());
                }
                (Signal::Stop, None) => {
                    tracing::warn!("ended at once, as a second signal asked");
                    return Ok(ExitCode::FAILURE);
                }
            },
        }
    }
}

/// Reads tokens and certificates again; what is at fault stays as it was.
fn reload(settings: &Settings) {
    if let Some(tokens) = &settings.tokens {
        match tokens.reload() {
            Ok(()) => tracing::info!(count = tokens.len(), "the tokens were read again"),
            Err(error) => tracing::error!(%error, "the tokens stay as they were"),
        }
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = &settings.tls {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificates were read again"),
            Err(error) => tracing::error!(%error, "the certificates stay as they were"),
        }
    }
}

/// Opens the tables of files, each with its file if it is one. What is at fault is told in `faults`, and left out.
pub(super) fn open_tables<'a>(
    settings: &Settings,
    wanted: impl Iterator<Item = &'a Wanted>,
    faults: &mut Faults,
) -> Vec<(Table, Option<PathBuf>)> {
    let mut tables: Vec<(Table, Option<PathBuf>)> = Vec::new();
    for wanted in wanted {
        match wanted.named.open(&settings.source(&wanted.types)) {
            Ok(table) if tables.iter().any(|(other, _)| other.name == table.name) => {
                faults.add(&Error::DuplicateTable { name: table.name });
            }
            Ok(table) => {
                let columns = table.source.schema();
                for (column, data_type) in &wanted.types {
                    let place = format!("the type of {}.{column}", table.name);
                    match columns.field_with_name(column) {
                        Ok(field) if field.data_type() == data_type => {}
                        Ok(field) => faults.at(&place, format!("is {}; only CSV has types given", field.data_type())),
                        Err(_) => faults.at(&place, "there is no such column"),
                    }
                }
                tables.push((table, wanted.named.file().map(PathBuf::from)));
            }
            Err(error) => faults.add(&error),
        }
    }
    if settings.tables.is_empty() && settings.live.is_none() {
        match ParquetSource::from_bytes(Bytes::from_static(SAMPLE)) {
            Ok(sample) => {
                let source = sample.kept_within(settings.memory);
                tables.push((Table { name: "flights".to_owned(), source }, None));
            }
            Err(error) => faults.add(&error),
        }
    }
    tables
}

/// A table that is read while the server runs already.
struct Late {
    named: Named,
    options: Options,
    loading: Loading,
}

/// Reads tables one after the other on a thread of their own.
fn read_behind(late: Vec<Late>) -> Result<()> {
    let read = move || {
        for Late { named, options, loading } in late {
            match named.open(&options) {
                Ok(table) => {
                    tracing::info!(table = named.name, rows = table.source.rows(), "is here");
                    loading.done(&named.name, table.source);
                }
                Err(error) => {
                    tracing::error!(table = named.name, %error, "could not be read; the others are served");
                    loading.failed(&named.name, &error.to_string());
                }
            }
        }
    };
    let thread = std::thread::Builder::new().name("tables".to_owned()).spawn(read);
    thread.map(drop).map_err(|error| Error::Internal(error.to_string()))
}

fn tables(settings: &Settings) -> Result<(Tables, Vec<Late>)> {
    let mut faults = Faults::default();
    let takes_long = |wanted: &&Wanted| wanted.named.takes_long(&settings.source(&wanted.types));
    let (long, short): (Vec<&Wanted>, Vec<&Wanted>) = settings.tables.iter().partition(takes_long);
    let opened = open_tables(settings, short.into_iter(), &mut faults);
    let mut files = BTreeMap::new();
    let (loading, mut late) = (Loading::default(), Vec::new());
    for Wanted { named, types } in long {
        let reading = Arc::new(Reading::default());
        let options = Options { reading: Some(reading.clone()), ..settings.source(types) };
        if loading.has(&named.name) {
            faults.add(&Error::DuplicateTable { name: named.name.clone() });
        }
        loading.begin(&named.name, reading);
        files.extend(named.file().map(|file| (named.name.clone(), PathBuf::from(file))));
        late.push(Late { named: named.clone(), options, loading: loading.clone() });
    }
    faults.into_result()?;
    let mut tables = Vec::with_capacity(opened.len());
    for (table, file) in opened {
        files.extend(file.map(|file| (table.name.clone(), file)));
        tables.push(table);
    }
    let encodes = match settings.compress {
        Compress::Always => true,
        Compress::Never => false,
        Compress::Auto => settings.is_public(),
    };
    let tables = Tables::try_new(tables)?
        .with_loading(loading)?
        .with_files(files)
        .with_content_encoding(encodes)
        .with_limits(settings.limits.limits())
        .with_budget(settings.limits.budget());
    let tables = match settings.limits.room_for_handles() {
        Some(bytes) => tables.with_room_for_handles(bytes),
        None => tables,
    };
    let tables = match settings.limits.room_for_orders() {
        Some(bytes) => tables.with_room_for_orders(bytes),
        None => tables,
    };
    match &settings.live {
        Some(folder) => Ok((tables.with_live(Store::open(folder)?)?, late)),
        None => Ok((tables, late)),
    }
}

/// Every connection is an open file, of which a process may have few by default.
fn raise_open_files(wanted: usize) {
    match rlimit::increase_nofile_limit(wanted as u64) {
        Ok(limit) if limit < wanted as u64 => {
            tracing::debug!(limit, wanted, "fewer files may be open than there may be connections and followers");
        }
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "the number of open files could not be raised"),
    }
}

fn listen(wanted: Option<SocketAddr>) -> Result<TcpListener> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let address = wanted.unwrap_or(SocketAddr::new(loopback, PORT));
    match bind(address) {
        Err(error) if wanted.is_none() && error.kind() == std::io::ErrorKind::AddrInUse => {
            let any = SocketAddr::new(loopback, 0);
            bind(any).map_err(|source| Error::Bind { address: any, source })
        }
        bound => bound.map_err(|source| Error::Bind { address, source }),
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that is started again gets its address back at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
