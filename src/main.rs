//! The program `rationale`.

fn main() -> std::process::ExitCode {
    rationale::cli::main()
}
