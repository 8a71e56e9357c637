//! The program `rationale`; everything is in [`rationale::cli`].

fn main() -> std::process::ExitCode {
    rationale::cli::main()
}
