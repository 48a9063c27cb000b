//! The entry point of the program `ngomon`.

fn main() -> std::process::ExitCode {
    ngomon::run()
}
