//! The `bench` program; everything is in the library.

fn main() -> std::process::ExitCode {
    notify_bench::main()
}
