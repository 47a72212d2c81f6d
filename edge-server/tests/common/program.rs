//! The program itself, as a process with a log and signals.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Served;

/// A server that runs in a process of its own; it is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) server: Served,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts it on a free port of loopback, with more arguments and variables.
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_edge-server"))
            .args(["--addr", "127.0.0.1:0"])
            .args(arguments)
            .env_remove("BODKIN_TOKENS")
            .env_remove("RUST_LOG")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (errors, kept) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_end_matches('/').rsplit_once('/').map(|(_, address)| address.parse());
        let Some(Ok(address)) = address else {
            panic!("no address in {line:?}; the log: {}", log.lock().unwrap());
        };
        Self { child, server: Served::at(address), log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log holds a text.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            let log = self.log();
            if log.contains(text) {
                return log;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{text:?} is not in the log: {}", self.log());
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ended, if it did within so long.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < within {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Reads what there is until the other side closes, or nothing more comes for so long.
pub(crate) fn read_all(stream: &mut std::net::TcpStream, patience: Duration) -> (Vec<u8>, bool) {
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut bytes = Vec::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return (bytes, true),
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            Err(error) => {
                let waits = matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
                return (bytes, !waits);
            }
        }
    }
}
