//! The `edge-server` command.

fn main() -> std::process::ExitCode {
    edge_server::cli::main()
}
