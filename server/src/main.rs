//! The program `ngomon`.

fn main() -> std::process::ExitCode {
    ngomon::run()
}
