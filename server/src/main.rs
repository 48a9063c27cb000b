//! The entry point of the program `ngomon`.

/// A request allocates often and from several threads; a sixth of its time was the C library's, half of it in the allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ngomon::run()
}
