//! The entry point of the program `ngomon`.

/// A request allocates some hundred times, from several threads: this allocator needs a third of the time of the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ngomon::run()
}
